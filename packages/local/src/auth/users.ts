import type { AuthTransaction } from "./auth-database.ts";
import { AuthError, sqlState } from "./auth-error.ts";

/** Audience of every token and user of a project. */
export const AUDIENCE = "authenticated";

/** Columns of `auth.users` that the service works with, and the user's identities. */
export interface User {
  id: string;
  aud: string;
  role: string;
  email: string | null;
  phone: string | null;
  encrypted_password: string | null;
  email_confirmed_at: Date | null;
  phone_confirmed_at: Date | null;
  confirmed_at: Date | null;
  last_sign_in_at: Date | null;
  raw_app_meta_data: Record<string, unknown>;
  raw_user_meta_data: Record<string, unknown>;
  created_at: Date;
  updated_at: Date;
  banned_until: Date | null;
  deleted_at: Date | null;
  is_anonymous: boolean;
  identities: Identity[];
}

/** A way in, as the API shows it: `id` is the provider's, `identity_id` the row's. */
export interface Identity {
  identity_id: string;
  id: string;
  user_id: string;
  identity_data: Record<string, unknown>;
  provider: string;
  last_sign_in_at: string;
  created_at: string;
  updated_at: string;
  email: string;
}

/** Which users to find, as a fragment after `where`. */
type Condition = ReturnType<AuthTransaction>;

/** Users by a condition on `u`, identities included, in the order of `tail` (an `order by … limit …` fragment). */
export const findUsers = (tx: AuthTransaction, where: Condition, tail: Condition = tx``): Promise<User[]> =>
  tx<User[]>`
    select u.*, coalesce(i.identities, '[]') as identities
    from auth.users u
    left join lateral (
      select jsonb_agg(jsonb_build_object(
        'identity_id', id, 'id', provider_id, 'user_id', user_id, 'identity_data', identity_data,
        'provider', provider, 'last_sign_in_at', last_sign_in_at, 'created_at', created_at,
        'updated_at', updated_at, 'email', email) order by created_at) as identities
      from auth.identities where user_id = u.id
    ) i on true
    where ${where} ${tail}`;

/** The user of that id. Throws AuthError `user_not_found` with `status`. */
export async function requireUser(tx: AuthTransaction, id: string, status = 404): Promise<User> {
  const [user] = await findUsers(tx, tx`u.id = ${id}`);
  if (user) return user;
  const message = status === 404 ? "User not found" : "User from sub claim in JWT does not exist";
  throw new AuthError(status, "user_not_found", message);
}

/** The user who signs in with that (lower case) address, if any. */
export async function findByEmail(tx: AuthTransaction, email: string): Promise<User | undefined> {
  const [user] = await findUsers(tx, tx`u.email = ${email} and u.aud = ${AUDIENCE} and not u.is_sso_user`);
  return user;
}

/**
 * Waits for a write of `auth.users`. A taken address becomes AuthError 422 with the given code, and whatever else
 * Postgres refuses (an app's trigger or foreign key, most often) the 500 that Supabase Auth answers.
 */
export async function writingUser<T>(
  write: PromiseLike<T>,
  action: "saving new user" | "updating user" | "deleting user",
  duplicate: { code: string; message: string } = {
    code: "email_exists",
    message: "A user with this email address has already been registered",
  },
): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    if ((error as { constraint_name?: string }).constraint_name === "users_email_partial_key") {
      throw new AuthError(422, duplicate.code, duplicate.message);
    }
    throw new AuthError(500, "unexpected_failure", `Database error ${action}`, {}, error);
  }
}

/**
 * Adds the identity of an address, or moves the one there is to a new address. `extra` never outranks the fields
 * that the service vouches for.
 */
export async function saveEmailIdentity(
  tx: AuthTransaction,
  userId: string,
  email: string,
  verified: boolean,
  extra: Record<string, unknown> = {},
): Promise<void> {
  const data = { ...extra, sub: userId, email, email_verified: verified, phone_verified: false };
  await tx`
    insert into auth.identities (provider_id, user_id, provider, identity_data, last_sign_in_at, created_at, updated_at)
    values (${userId}, ${userId}, 'email', ${tx.json(data as never)}, now(), now(), now())
    on conflict (provider_id, provider) do update
      set identity_data = auth.identities.identity_data || excluded.identity_data, updated_at = now()`;
}

/** Whether the user is shut out at the moment. */
export const isBanned = (user: User): boolean => user.banned_until !== null && user.banned_until > new Date();

/** The user as the API shows it. */
export const presentUser = (user: User): Record<string, unknown> => ({
  id: user.id,
  aud: user.aud,
  role: user.role,
  email: user.email ?? "",
  email_confirmed_at: user.email_confirmed_at ?? undefined,
  phone: user.phone ?? "",
  phone_confirmed_at: user.phone_confirmed_at ?? undefined,
  confirmed_at: user.confirmed_at ?? undefined,
  last_sign_in_at: user.last_sign_in_at ?? undefined,
  app_metadata: user.raw_app_meta_data ?? {},
  user_metadata: user.raw_user_meta_data ?? {},
  identities: user.identities,
  created_at: user.created_at,
  updated_at: user.updated_at,
  banned_until: user.banned_until ?? undefined,
  deleted_at: user.deleted_at ?? undefined,
  is_anonymous: user.is_anonymous,
});
