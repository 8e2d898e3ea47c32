import { z } from "zod";
import type { AuthContext } from "./auth-context.ts";
import { asAuthAdmin } from "./auth-database.ts";
import { AuthError } from "./auth-error.ts";
import { optionalObject, optionalText, readBody } from "./body.ts";
import { checkEmail, checkPassword, hashPassword } from "./credentials.ts";
import { insertUser } from "./insert-user.ts";
import { openSession } from "./sessions.ts";

const signUpBody = z.object({
  email: optionalText,
  phone: optionalText,
  password: optionalText,
  data: optionalObject,
});

/**
 * `POST /signup`: a user with address and password, confirmed at once since the local stack sends no mail, or an
 * anonymous one when there is no address. Answers with a session.
 */
export async function signUp(auth: AuthContext, request: Request): Promise<Response> {
  const { email, phone, password, data } = await readBody(request, signUpBody);
  if (phone) throw new AuthError(400, "phone_provider_disabled", "Phone signups are disabled");
  if (!email) {
    return asAuthAdmin(auth.sql, async (tx) => {
      const user = await insertUser(tx, { userMetadata: data });
      return openSession(auth, tx, user, "anonymous", request);
    });
  }
  if (!password) throw new AuthError(400, "validation_failed", "Signup requires a valid password");
  checkPassword(password);
  const address = checkEmail(email);
  const passwordHash = await hashPassword(password);
  return asAuthAdmin(auth.sql, async (tx) => {
    const user = await insertUser(
      tx,
      { email: address, passwordHash, userMetadata: data, identityData: data, confirmEmail: true },
      { code: "user_already_exists", message: "User already registered" },
    );
    return openSession(auth, tx, user, "password", request);
  });
}
