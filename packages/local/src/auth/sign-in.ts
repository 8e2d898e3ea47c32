import { z } from "zod";
import type { AuthContext } from "./auth-context.ts";
import { asAuthAdmin } from "./auth-database.ts";
import { AuthError } from "./auth-error.ts";
import { optionalText, readBody } from "./body.ts";
import { passwordMatches } from "./credentials.ts";
import { openSession } from "./sessions.ts";
import { findByEmail, isBanned } from "./users.ts";

const signInBody = z.object({ email: optionalText, phone: optionalText, password: optionalText });

/** `POST /token?grant_type=password`: a session for address and password. */
export async function signIn(auth: AuthContext, request: Request): Promise<Response> {
  const { email, phone, password } = await readBody(request, signInBody);
  if (phone) throw new AuthError(422, "phone_provider_disabled", "Phone logins are disabled");
  if (!email) throw new AuthError(400, "validation_failed", "missing email or phone");
  const user = await asAuthAdmin(auth.sql, (tx) => findByEmail(tx, email.toLowerCase()));
  const refusal = new AuthError(400, "invalid_credentials", "Invalid login credentials");
  if (!user?.encrypted_password) throw refusal;
  if (isBanned(user)) throw new AuthError(400, "user_banned", "User is banned");
  // Outside of a transaction: hashing takes longer than any statement.
  if (!(await passwordMatches(password ?? "", user.encrypted_password))) throw refusal;
  if (!user.email_confirmed_at) throw new AuthError(400, "email_not_confirmed", "Email not confirmed");
  return asAuthAdmin(auth.sql, (tx) => openSession(auth, tx, user, "password", request));
}
