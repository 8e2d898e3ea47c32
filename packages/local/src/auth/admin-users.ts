import { z } from "zod";
import { randomText } from "../random.ts";
import { readAdminAttributes } from "./admin-attributes.ts";
import type { AuthContext } from "./auth-context.ts";
import { type AuthTransaction, asAuthAdmin } from "./auth-database.ts";
import { AuthError } from "./auth-error.ts";
import { flag, readBody } from "./body.ts";
import { hashPassword } from "./credentials.ts";
import { confirmEmail, insertUser } from "./insert-user.ts";
import { mergeMetadata } from "./merge-metadata.ts";
import { endSessions } from "./sessions.ts";
import { presentUser, requireUser, saveEmailIdentity, type User, writingUser } from "./users.ts";

/** Throws AuthError 403 `not_admin` unless the caller holds a secret key and acts as no user. */
export async function requireAdmin(auth: AuthContext, request: Request): Promise<void> {
  let role: string;
  try {
    role = (await auth.keys.resolve(request.headers)).role;
  } catch (error) {
    throw new AuthError(403, "bad_jwt", (error as Error).message);
  }
  if (role !== "service_role") throw new AuthError(403, "not_admin", "User not allowed");
}

/** `GET /admin/users/:id` */
export async function adminGetUser(auth: AuthContext, id: string): Promise<Response> {
  return Response.json(presentUser(await asAuthAdmin(auth.sql, (tx) => requireUser(tx, userId(id)))));
}

/** `POST /admin/users`: a user without a session; unconfirmed unless `email_confirm` says otherwise. */
export async function adminCreateUser(auth: AuthContext, request: Request): Promise<Response> {
  const attributes = await readAdminAttributes(request);
  if (!attributes.email) {
    const message = "Cannot create a user without either an email or phone";
    throw new AuthError(400, "validation_failed", message);
  }
  const { bannedUntil = null } = attributes;
  const passwordHash = attributes.passwordHash ?? (await hashPassword(randomText(64)));
  const user = await asAuthAdmin(auth.sql, (tx) =>
    insertUser(tx, { ...attributes, passwordHash, bannedUntil }),
  );
  return Response.json(presentUser(user));
}

/** `PUT /admin/users/:id`: what is given changes; metadata is merged; a new password ends the user's sessions. */
export async function adminUpdateUser(auth: AuthContext, request: Request, id: string): Promise<Response> {
  const attributes = await readAdminAttributes(request);
  const { role, email, passwordHash, bannedUntil, userMetadata, appMetadata } = attributes;
  const updated = await asAuthAdmin(auth.sql, async (tx) => {
    const user = await requireUser(tx, userId(id));
    const columns = {
      ...(role && { role }),
      ...(passwordHash && { encrypted_password: passwordHash }),
      ...(bannedUntil !== undefined && { banned_until: bannedUntil }),
      ...(email && { email, ...(attributes.confirmEmail && { is_anonymous: false }) }),
    };
    if (Object.keys(columns).length > 0) {
      const update = tx`update auth.users set ${tx(columns)}, updated_at = now() where id = ${user.id}`;
      await writingUser(update, "updating user");
    }
    if (email) await saveEmailIdentity(tx, user.id, email, attributes.confirmEmail);
    if (attributes.confirmEmail) await confirmEmail(tx, user.id);
    if (passwordHash) await endSessions(tx, user.id, "all");
    if (appMetadata) await mergeMetadata(tx, user.id, "raw_app_meta_data", appMetadata);
    if (userMetadata) await mergeMetadata(tx, user.id, "raw_user_meta_data", userMetadata);
    return requireUser(tx, user.id);
  });
  return Response.json(presentUser(updated));
}

const deleteBody = z.object({ should_soft_delete: flag });

/** `DELETE /admin/users/:id`: the user and all that refers to them, or, softly, what tells who they were. */
export async function adminDeleteUser(auth: AuthContext, request: Request, id: string): Promise<Response> {
  const hasBody = request.headers.get("content-length") !== "0" && request.body !== null;
  const { should_soft_delete: soft } = hasBody
    ? await readBody(request, deleteBody)
    : { should_soft_delete: false };
  await asAuthAdmin(auth.sql, async (tx) => {
    const user = await requireUser(tx, userId(id));
    if (soft) return softDelete(tx, user);
    return writingUser(tx`delete from auth.users where id = ${user.id}`, "deleting user");
  });
  return Response.json({});
}

async function softDelete(tx: AuthTransaction, user: User): Promise<void> {
  if (user.deleted_at) return;
  const update = tx`
    update auth.users
    set email = encode(sha256(convert_to(id || email, 'utf8')), 'hex'), encrypted_password = null,
      raw_app_meta_data = '{}', raw_user_meta_data = '{}', deleted_at = now(), updated_at = now()
    where id = ${user.id}`;
  await writingUser(update, "deleting user");
  await tx`
    update auth.identities
    set provider_id = encode(sha256(convert_to(user_id || provider || ':' || provider_id, 'utf8')), 'hex'),
      identity_data = '{}', updated_at = now()
    where user_id = ${user.id}`;
  await endSessions(tx, user.id, "all");
}

function userId(id: string): string {
  if (z.guid().safeParse(id).success) return id;
  throw new AuthError(404, "validation_failed", "user_id must be an UUID");
}
