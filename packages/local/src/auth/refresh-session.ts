import { z } from "zod";
import type { AuthContext } from "./auth-context.ts";
import { type AuthTransaction, asAuthAdmin } from "./auth-database.ts";
import { AuthError } from "./auth-error.ts";
import { optionalText, readBody } from "./body.ts";
import { addRefreshToken, endSessions, tokenResponse } from "./sessions.ts";
import { isBanned, requireUser } from "./users.ts";

/** Tabs and retries may present a token again for that long after it was replaced (Supabase Auth's default). */
const REUSE_INTERVAL = "10 seconds";

const refreshBody = z.object({ refresh_token: optionalText });

interface PresentedToken {
  id: string;
  token: string;
  user_id: string;
  session_id: string;
  revoked: boolean;
  within_reuse_interval: boolean;
}

/**
 * `POST /token?grant_type=refresh_token`: replaces the refresh token. A replaced one is honoured again, with the
 * session's active token, if it is the active one's parent (the client never got the answer) or was replaced within
 * the reuse interval. Any other reuse means that two parties hold the session, so it ends for both
 * (supabase/auth, internal/tokens/service.go).
 */
export async function refreshSession(auth: AuthContext, request: Request): Promise<Response> {
  const { refresh_token: presented } = await readBody(request, refreshBody);
  if (!presented) throw new AuthError(400, "validation_failed", "refresh_token required");
  const outcome = await asAuthAdmin(auth.sql, async (tx) => {
    const token = await lockToken(tx, presented);
    const user = await requireUser(tx, token.user_id);
    if (isBanned(user)) throw new AuthError(400, "user_banned", "Invalid Refresh Token: User Banned");
    const next = token.revoked ? await reusedToken(tx, token) : await rotate(tx, token);
    if (!next) {
      // Committed, not thrown: the session has to stay ended.
      await endSessions(tx, token.user_id, { only: token.session_id });
      return "reused" as const;
    }
    await tx`
      update auth.sessions
      set refreshed_at = now() at time zone 'utc', user_agent = ${request.headers.get("user-agent")}, updated_at = now()
      where id = ${token.session_id}`;
    return tokenResponse(auth, tx, user, token.session_id, next);
  });
  if (outcome !== "reused") return outcome;
  throw new AuthError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used");
}

/** The presented token, locked with its session so that concurrent refreshes go one after the other. */
async function lockToken(tx: AuthTransaction, presented: string): Promise<PresentedToken> {
  const [token] = await tx<PresentedToken[]>`
    select r.id, r.token, r.user_id, r.session_id, r.revoked,
      r.updated_at > clock_timestamp() - ${REUSE_INTERVAL}::interval as within_reuse_interval
    from auth.refresh_tokens r join auth.sessions s on s.id = r.session_id
    where r.token = ${presented}
    for update of r, s`;
  if (token) return token;
  throw new AuthError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found");
}

async function rotate(tx: AuthTransaction, token: PresentedToken): Promise<string> {
  await tx`update auth.refresh_tokens set revoked = true, updated_at = now() where id = ${token.id}`;
  return addRefreshToken(tx, token.user_id, token.session_id, token.token);
}

/** The active token that a reuse is answered with, or undefined when the reuse is not allowed. */
async function reusedToken(tx: AuthTransaction, token: PresentedToken): Promise<string | undefined> {
  const [active] = await tx<{ token: string; parent: string }[]>`
    select token, parent from auth.refresh_tokens
    where session_id = ${token.session_id} and not revoked
    order by id desc limit 1`;
  return active && (active.parent === token.token || token.within_reuse_interval) ? active.token : undefined;
}
