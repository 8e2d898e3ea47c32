import bcrypt from "bcryptjs";
import { z } from "zod";
import { AuthError } from "./auth-error.ts";

const BCRYPT_COST = 10;
/** bcrypt reads no further than this. */
const MAX_PASSWORD_BYTES = 72;
const MIN_PASSWORD_LENGTH = 6;
const MAX_EMAIL_LENGTH = 255;

// What Supabase Auth takes (github.com/badoux/checkmail), such as somebody@localhost.
const email = z.email({ pattern: z.regexes.html5Email });

/** The address in lower case. Throws AuthError `validation_failed`. */
export function checkEmail(address: string): string {
  if (address.length > MAX_EMAIL_LENGTH) {
    throw new AuthError(400, "validation_failed", "An email address is too long");
  }
  if (!email.safeParse(address).success) {
    throw new AuthError(400, "validation_failed", "Unable to validate email address: invalid format");
  }
  return address.toLowerCase();
}

/** Throws AuthError `weak_password` or, for what bcrypt can't hash whole, `validation_failed`. */
export function checkPassword(password: string): void {
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    const message = `Password cannot be longer than ${MAX_PASSWORD_BYTES} characters`;
    throw new AuthError(400, "validation_failed", message);
  }
  if (password.length < MIN_PASSWORD_LENGTH) {
    const message = `Password should be at least ${MIN_PASSWORD_LENGTH} characters.`;
    throw new AuthError(422, "weak_password", message, { weak_password: { reasons: ["length"] } });
  }
}

/** bcrypt hash of a checked password. Asynchronous: other requests are served between its rounds. */
export const hashPassword = (password: string): Promise<string> => bcrypt.hash(password, BCRYPT_COST);

/** Whether `password` is the one behind `hash`. A user without a hash has no password that matches. */
export const passwordMatches = async (password: string, hash: string | null): Promise<boolean> =>
  hash ? bcrypt.compare(password, hash) : false;
