import { PodbaseError } from "@podbase/core";
import { verifyAuth } from "@supabase/server/core";
import { jwtVerify } from "jose";
import type { Environment } from "./environment.ts";

/** Who calls a function, by the keys and tokens of the Supabase project. */
export interface Authentication {
  /**
   * The signed-in user of a request, or null: nobody, or a token that is expired, unsigned, of another project, an API key
   * or no user's. Asymmetric tokens (ES256, RS256) are verified by the project's JWKS, HS256 by its JWT secret if that is
   * given. Throws `internal` when there are no keys to verify with.
   */
  userOf(request: Request): Promise<string | null>;
  /** Whether `apikey` is one of the project's secret keys, or its legacy service_role key. Bearer tokens don't count. */
  isTrusted(request: Request): Promise<boolean>;
}

/** What `@supabase/server` says when it can't tell, rather than when a token is bad. */
const UNDECIDED = new Set(["JWKS_NOT_CONFIGURED", "JWKS_FETCH_FAILED"]);
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * The modes of `@supabase/server` (`user` and `secret:*`), and what it leaves out: keys and tokens of projects that have not
 * moved to the new ones yet (supabase.com/docs/guides/getting-started/migrating-to-new-api-keys).
 */
export function authentication(
  environment: Pick<Environment, "secretKeys" | "legacyJwtSecret">,
): Authentication {
  const { secretKeys, legacyJwtSecret } = environment;
  const secret = legacyJwtSecret === undefined ? undefined : new TextEncoder().encode(legacyJwtSecret);
  return {
    async userOf(request) {
      const user = (secret && (await legacyUser(request, secret))) ?? (await currentUser(request));
      // A token of the project for somebody who is no user of its Auth.
      return user !== null && UUID.test(user) ? user : null;
    },
    async isTrusted(request) {
      return (await verifyAuth(request, { auth: "secret:*", env: { secretKeys } })).error === null;
    },
  };
}

async function currentUser(request: Request): Promise<string | null> {
  const { data, error } = await verifyAuth(request, { auth: "user" });
  if (error && UNDECIDED.has(error.code)) {
    throw new PodbaseError("internal", "User tokens can't be verified right now.", { cause: error });
  }
  return data?.userClaims?.id ?? null;
}

/** The user of a token that is signed with the project's JWT secret, and only so: no other algorithm is tried. */
async function legacyUser(request: Request, secret: Uint8Array): Promise<string | null> {
  const token = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (!token) return null;
  try {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ["HS256"],
      requiredClaims: ["sub", "exp"],
    });
    return typeof payload.sub === "string" ? payload.sub : null;
  } catch {
    // Whatever is wrong with it, it is no token of this kind.
    return null;
  }
}
