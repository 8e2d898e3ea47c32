import type { Service, StackContext } from "../context.ts";
import { adminListUsers } from "./admin-list-users.ts";
import {
  adminCreateUser,
  adminDeleteUser,
  adminGetUser,
  adminUpdateUser,
  requireAdmin,
} from "./admin-users.ts";
import type { AuthContext } from "./auth-context.ts";
import { AuthError, errorResponse, notServed } from "./auth-error.ts";
import { getUser, updateUser } from "./current-user.ts";
import { logOut } from "./log-out.ts";
import { refreshSession } from "./refresh-session.ts";
import { signIn } from "./sign-in.ts";
import { signUp } from "./sign-up.ts";

const PREFIX = "/auth/v1";
const DEFAULT_LIFETIME_S = 3600;
/** Where browsers go without a key, sent by an app or a mail (supabase/supabase, docker/volumes/api/kong.yml). None is served. */
const OPEN = new Set(["/authorize", "/callback", "/verify"]);

/** Options of the Auth service. */
export interface AuthOptions {
  /** How long an access token is valid, in seconds. An hour when absent. */
  accessTokenLifetimeS?: number;
}

/**
 * Supabase Auth (GoTrue 2) for passwords and anonymous users: sign-up, sign-in, refresh, the caller's own account,
 * log-out and the admin's users. Addresses count as confirmed at once; no mail is sent. All else answers 501.
 */
export function createAuth(ctx: StackContext, options: AuthOptions = {}): Service {
  const auth: AuthContext = {
    ...ctx,
    accessTokenLifetimeS: options.accessTokenLifetimeS ?? DEFAULT_LIFETIME_S,
  };
  return {
    async fetch(request) {
      try {
        return await route(auth, request);
      } catch (error) {
        return errorResponse(asAuthError(auth, error), request);
      }
    },
  };
}

async function route(auth: AuthContext, request: Request): Promise<Response> {
  const path = new URL(request.url).pathname.slice(PREFIX.length);
  if (path === "/.well-known/jwks.json") return Response.json(auth.keys.jwks);
  if (!OPEN.has(path)) requireApiKey(auth, request);
  switch (`${request.method} ${path}`) {
    case "GET /health":
      return Response.json({ version: "v2", name: "GoTrue", description: "Auth of the local stack" });
    case "GET /settings":
      return Response.json(settings);
    case "POST /signup":
      return signUp(auth, request);
    case "POST /token":
      return token(auth, request);
    case "GET /user":
      return getUser(auth, request);
    case "PUT /user":
      return updateUser(auth, request);
    case "POST /logout":
      return logOut(auth, request);
  }
  const adminUsers = /^\/admin\/users(?:\/([^/]+))?$/.exec(path);
  if (!adminUsers) throw notServed(`${request.method} ${path}`);
  await requireAdmin(auth, request);
  return adminRoute(auth, request, adminUsers[1]);
}

function adminRoute(auth: AuthContext, request: Request, id: string | undefined): Promise<Response> {
  if (!id && request.method === "GET") return adminListUsers(auth, request);
  if (!id && request.method === "POST") return adminCreateUser(auth, request);
  if (id && request.method === "GET") return adminGetUser(auth, id);
  if (id && request.method === "PUT") return adminUpdateUser(auth, request, id);
  if (id && request.method === "DELETE") return adminDeleteUser(auth, request, id);
  throw new AuthError(405, "validation_failed", "Method Not Allowed");
}

function token(auth: AuthContext, request: Request): Promise<Response> {
  const grant = new URL(request.url).searchParams.get("grant_type") ?? "";
  if (grant === "password") return signIn(auth, request);
  if (grant === "refresh_token") return refreshSession(auth, request);
  if (["id_token", "pkce", "web3"].includes(grant)) throw notServed(`The grant type "${grant}"`);
  throw new AuthError(400, "invalid_credentials", "unsupported_grant_type");
}

/**
 * Like the hosted gateway. Whose token is in `Authorization` is not asked here: an expired one must not keep its
 * owner from signing in or refreshing.
 */
function requireApiKey(auth: AuthContext, request: Request): void {
  const bearer = request.headers.get("authorization")?.replace(/^Bearer\s+/i, "");
  const apiKey = request.headers.get("apikey") ?? bearer;
  if (!apiKey) throw new AuthError(401, "no_authorization", "No API key found in request");
  if (!auth.keys.roleOf(apiKey)) throw new AuthError(401, "no_authorization", "Invalid API key");
}

function asAuthError(auth: AuthContext, error: unknown): AuthError {
  const known =
    error instanceof AuthError
      ? error
      : new AuthError(500, "unexpected_failure", "Internal Server Error", {}, error);
  if (known.status === 500) auth.log(`auth: ${known.message}: ${(known.cause as Error)?.message ?? "?"}`);
  return known;
}

const settings = {
  external: { anonymous_users: true, email: true, phone: false },
  disable_signup: false,
  mailer_autoconfirm: true,
  phone_autoconfirm: false,
  sms_provider: "",
  saml_enabled: false,
  saml_private_key_next_configured: false,
  passkeys_enabled: false,
};
