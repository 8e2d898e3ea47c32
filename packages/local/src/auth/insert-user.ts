import type { AuthTransaction } from "./auth-database.ts";
import { AUDIENCE, requireUser, saveEmailIdentity, type User, writingUser } from "./users.ts";

/** A user to be. Without an address it is an anonymous one. */
export interface NewUser {
  id?: string | undefined;
  email?: string | undefined;
  passwordHash?: string | undefined;
  role?: string | undefined;
  confirmEmail?: boolean;
  bannedUntil?: Date | null;
  appMetadata?: Record<string, unknown> | undefined;
  userMetadata?: Record<string, unknown> | undefined;
  /** Further fields of the email identity. */
  identityData?: Record<string, unknown> | undefined;
}

/**
 * Adds a user and, with an address, its email identity. Confirming is an update of its own, as in Supabase Auth,
 * since apps hang triggers on it. A taken address is AuthError 422 with `duplicate`'s code.
 */
export async function insertUser(
  tx: AuthTransaction,
  user: NewUser,
  duplicate?: { code: string; message: string },
): Promise<User> {
  const id = user.id ?? crypto.randomUUID();
  const { email } = user;
  const provider = email ? { provider: "email", providers: ["email"] } : {};
  const insert = tx`
    insert into auth.users (instance_id, id, aud, role, email, encrypted_password, raw_app_meta_data,
      raw_user_meta_data, banned_until, is_anonymous, created_at, updated_at,
      confirmation_token, recovery_token, email_change_token_new, email_change)
    values ('00000000-0000-0000-0000-000000000000', ${id}, ${AUDIENCE}, ${user.role ?? AUDIENCE}, ${email ?? null},
      ${user.passwordHash ?? ""}, ${tx.json({ ...provider, ...user.appMetadata } as never)},
      ${tx.json((user.userMetadata ?? {}) as never)}, ${user.bannedUntil ?? null}, ${!email}, now(), now(),
      '', '', '', '')`;
  await writingUser(insert, "saving new user", duplicate);
  if (email) await saveEmailIdentity(tx, id, email, false, user.identityData);
  if (user.confirmEmail) await confirmEmail(tx, id);
  return requireUser(tx, id);
}

/** Marks the user's address as confirmed. */
export async function confirmEmail(tx: AuthTransaction, id: string): Promise<void> {
  const update = tx`
    update auth.users
    set email_confirmed_at = now(), updated_at = now(),
      raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || '{"email_verified": true}'
    where id = ${id}`;
  await writingUser(update, "updating user");
}
