import { decodeJwt } from "jose";
import { randomText } from "../random.ts";
import type { AuthContext } from "./auth-context.ts";
import type { AuthTransaction } from "./auth-database.ts";
import { presentUser, type User } from "./users.ts";

/** How someone signed in, for the `amr` claim. */
export type SignInMethod = "password" | "anonymous";

const REFRESH_TOKEN_LENGTH = 12;

/** Opens a session for the user and answers with its first pair of tokens. */
export async function openSession(
  auth: AuthContext,
  tx: AuthTransaction,
  user: User,
  method: SignInMethod,
  request: Request,
): Promise<Response> {
  const sessionId = crypto.randomUUID();
  await tx`
    insert into auth.sessions (id, user_id, aal, user_agent, created_at, updated_at)
    values (${sessionId}, ${user.id}, 'aal1', ${request.headers.get("user-agent")}, now(), now())`;
  await tx`
    insert into auth.mfa_amr_claims (id, session_id, authentication_method, created_at, updated_at)
    values (${crypto.randomUUID()}, ${sessionId}, ${method}, now(), now())`;
  await tx`update auth.users set last_sign_in_at = now(), updated_at = now() where id = ${user.id}`;
  const refreshToken = await addRefreshToken(tx, user.id, sessionId);
  return tokenResponse(auth, tx, { ...user, last_sign_in_at: new Date() }, sessionId, refreshToken);
}

/** Adds an active refresh token to a session; `parent` is the one it replaces. */
export async function addRefreshToken(
  tx: AuthTransaction,
  userId: string,
  sessionId: string,
  parent = "",
): Promise<string> {
  const token = randomText(REFRESH_TOKEN_LENGTH);
  await tx`
    insert into auth.refresh_tokens (token, user_id, session_id, parent, revoked, created_at, updated_at)
    values (${token}, ${userId}, ${sessionId}, ${parent}, false, now(), now())`;
  return token;
}

/** A new access token beside the session's refresh token, as the `/token` endpoint answers. */
export async function tokenResponse(
  auth: AuthContext,
  tx: AuthTransaction,
  user: User,
  sessionId: string,
  refreshToken: string,
): Promise<Response> {
  const amr = await tx<{ method: string; timestamp: number }[]>`
    select authentication_method as method, extract(epoch from updated_at)::int as timestamp
    from auth.mfa_amr_claims where session_id = ${sessionId} order by updated_at desc`;
  const accessToken = await auth.keys.sign(
    {
      iss: `${auth.url}/auth/v1`,
      sub: user.id,
      aud: user.aud,
      role: user.role,
      email: user.email ?? "",
      phone: user.phone ?? "",
      app_metadata: user.raw_app_meta_data,
      user_metadata: user.raw_user_meta_data,
      aal: "aal1",
      amr: [...amr],
      session_id: sessionId,
      is_anonymous: user.is_anonymous,
    },
    auth.accessTokenLifetimeS,
  );
  return Response.json({
    access_token: accessToken,
    token_type: "bearer",
    expires_in: auth.accessTokenLifetimeS,
    expires_at: decodeJwt(accessToken).exp,
    refresh_token: refreshToken,
    user: presentUser(user),
  });
}

/** Ends sessions of a user, refresh tokens included: one, all, or all but one. */
export async function endSessions(
  tx: AuthTransaction,
  userId: string,
  which: { only: string } | { except: string } | "all",
): Promise<void> {
  const condition =
    which === "all" ? tx`` : "only" in which ? tx`and id = ${which.only}` : tx`and id <> ${which.except}`;
  await tx`delete from auth.sessions where user_id = ${userId} ${condition}`;
}
