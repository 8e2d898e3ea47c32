import { z } from "zod";
import type { AuthContext } from "./auth-context.ts";
import { type AuthTransaction, asAuthAdmin } from "./auth-database.ts";
import { AuthError, notServed } from "./auth-error.ts";
import { bearerClaims, loadSignedIn } from "./authenticate.ts";
import { optionalObject, optionalText, readBody } from "./body.ts";
import { checkEmail, checkPassword, hashPassword, passwordMatches } from "./credentials.ts";
import { mergeMetadata } from "./merge-metadata.ts";
import { endSessions } from "./sessions.ts";
import { presentUser, requireUser, saveEmailIdentity, type User, writingUser } from "./users.ts";

const updateBody = z.object({
  email: optionalText,
  phone: optionalText,
  password: optionalText,
  data: optionalObject,
  app_metadata: optionalObject,
});

/** `GET /user`: the caller, as the database has it now. */
export async function getUser(auth: AuthContext, request: Request): Promise<Response> {
  const claims = await bearerClaims(auth, request);
  const { user } = await asAuthAdmin(auth.sql, (tx) => loadSignedIn(tx, claims));
  return Response.json(presentUser(user));
}

/**
 * `PUT /user`: the caller's password and metadata. An address turns an anonymous user into a permanent one, confirmed
 * at once; changing a permanent user's address needs mail, which the local stack doesn't send (501).
 */
export async function updateUser(auth: AuthContext, request: Request): Promise<Response> {
  const claims = await bearerClaims(auth, request);
  const { user, sessionId } = await asAuthAdmin(auth.sql, (tx) => loadSignedIn(tx, claims));
  const body = await readBody(request, updateBody);
  const email = body.email && checkEmail(body.email);
  const newEmail = email !== user.email ? email : undefined;
  if (body.phone) throw new AuthError(400, "phone_provider_disabled", "Phone signups are disabled");
  if (body.app_metadata) {
    throw new AuthError(403, "not_admin", "Updating app_metadata requires admin privileges");
  }
  if (newEmail && !user.is_anonymous) throw notServed("Changing the email address of a permanent user");
  const passwordHash = body.password && (await newPasswordHash(user, body.password, newEmail));
  return asAuthAdmin(auth.sql, async (tx) => {
    if (passwordHash) {
      await writingUser(
        tx`update auth.users set encrypted_password = ${passwordHash}, updated_at = now() where id = ${user.id}`,
        "updating user",
      );
      await endSessions(tx, user.id, sessionId ? { except: sessionId } : "all");
    }
    if (body.data) await mergeMetadata(tx, user.id, "raw_user_meta_data", body.data);
    if (newEmail) await makePermanent(tx, user.id, newEmail);
    return Response.json(presentUser(await requireUser(tx, user.id)));
  });
}

async function newPasswordHash(user: User, password: string, newEmail: string | undefined): Promise<string> {
  checkPassword(password);
  if (user.is_anonymous && !newEmail) {
    const message = "Updating password of an anonymous user without an email or phone is not allowed";
    throw new AuthError(422, "validation_failed", message);
  }
  if (await passwordMatches(password, user.encrypted_password)) {
    const message = "New password should be different from the old password.";
    throw new AuthError(422, "same_password", message);
  }
  return hashPassword(password);
}

async function makePermanent(tx: AuthTransaction, id: string, email: string): Promise<void> {
  const update = tx`
    update auth.users
    set email = ${email}, email_confirmed_at = now(), is_anonymous = false, updated_at = now(),
      raw_app_meta_data = coalesce(raw_app_meta_data, '{}') || '{"provider": "email", "providers": ["email"]}',
      raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || '{"email_verified": true}'
    where id = ${id}`;
  await writingUser(update, "updating user");
  await saveEmailIdentity(tx, id, email, true);
}
