import { z } from "zod";
import type { Claims } from "../context.ts";
import type { AuthContext } from "./auth-context.ts";
import type { AuthTransaction } from "./auth-database.ts";
import { AuthError } from "./auth-error.ts";
import { isBanned, requireUser, type User } from "./users.ts";

const uuid = z.guid();
const badJwt = (message: string) => new AuthError(403, "bad_jwt", message);

/** The caller of a user's endpoint. Tokens minted outside of a session have no `sessionId`. */
export interface SignedInUser {
  user: User;
  sessionId: string | undefined;
}

/** Claims of the user's token in `Authorization`. Throws AuthError 401 `no_authorization` or 403 `bad_jwt`. */
export async function bearerClaims(auth: AuthContext, request: Request): Promise<Claims> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (!token) {
    throw new AuthError(401, "no_authorization", "This endpoint requires a valid Bearer token");
  }
  // The hosted gateway turns an API key into a token that has a role and no subject.
  if (auth.keys.roleOf(token)) throw badJwt("invalid claim: missing sub claim");
  try {
    return await auth.keys.verify(token);
  } catch (error) {
    throw badJwt(`invalid JWT: unable to parse or verify signature, ${(error as Error).message}`);
  }
}

/** The user and session behind claims, as long as both still exist. Throws AuthError 403. */
export async function loadSignedIn(tx: AuthTransaction, claims: Claims): Promise<SignedInUser> {
  if (!claims.sub) throw badJwt("invalid claim: missing sub claim");
  if (!uuid.safeParse(claims.sub).success) throw badJwt("invalid claim: sub claim must be a UUID");
  const user = await requireUser(tx, claims.sub, 403);
  const sessionId = claims.session_id || undefined;
  if (sessionId) {
    if (!uuid.safeParse(sessionId).success) throw badJwt("invalid claim: session_id claim must be a UUID");
    const [session] = await tx`
      select 1 from auth.sessions where id = ${sessionId} and user_id = ${user.id}`;
    if (!session) {
      const message = "Session from session_id claim in JWT does not exist";
      throw new AuthError(403, "session_not_found", message);
    }
  }
  if (isBanned(user)) throw new AuthError(403, "user_banned", "User is banned");
  return { user, sessionId };
}
