import type { AuthContext } from "./auth-context.ts";
import { asAuthAdmin } from "./auth-database.ts";
import { AuthError } from "./auth-error.ts";
import { bearerClaims, loadSignedIn } from "./authenticate.ts";
import { endSessions } from "./sessions.ts";

/** `POST /logout?scope=global|local|others`: ends all sessions of the caller, this one, or all others. */
export async function logOut(auth: AuthContext, request: Request): Promise<Response> {
  const claims = await bearerClaims(auth, request);
  await asAuthAdmin(auth.sql, async (tx) => {
    const { user, sessionId } = await loadSignedIn(tx, claims);
    const scope = new URL(request.url).searchParams.get("scope") || "global";
    if (!["global", "local", "others"].includes(scope)) {
      throw new AuthError(400, "validation_failed", `Unsupported logout scope "${scope}"`);
    }
    if (!sessionId || scope === "global") return endSessions(tx, user.id, "all");
    return endSessions(tx, user.id, scope === "local" ? { only: sessionId } : { except: sessionId });
  });
  return new Response(null, { status: 204 });
}
