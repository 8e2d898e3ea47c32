import { z } from "zod";
import { AuthError, notServed } from "./auth-error.ts";
import { flag, optionalObject, optionalText, readBody } from "./body.ts";
import { checkEmail, checkPassword, hashPassword } from "./credentials.ts";
import { AUDIENCE } from "./users.ts";

const adminBody = z.object({
  id: optionalText,
  aud: optionalText,
  role: optionalText,
  email: optionalText,
  phone: optionalText,
  password: optionalText,
  password_hash: optionalText,
  email_confirm: flag,
  phone_confirm: flag,
  user_metadata: optionalObject,
  app_metadata: optionalObject,
  ban_duration: optionalText,
});

/** What an admin may set on a user, checked, the password hashed. */
export interface AdminAttributes {
  id: string | undefined;
  role: string | undefined;
  email: string | undefined;
  passwordHash: string | undefined;
  confirmEmail: boolean;
  userMetadata: Record<string, unknown> | undefined;
  appMetadata: Record<string, unknown> | undefined;
  /** null lifts a ban, undefined leaves it as it is. */
  bannedUntil: Date | null | undefined;
}

/** Reads an admin's create or update. Throws AuthError, 501 for phones and foreign audiences. */
export async function readAdminAttributes(request: Request): Promise<AdminAttributes> {
  const body = await readBody(request, adminBody);
  if (body.phone || body.phone_confirm) throw notServed("A phone number");
  if (body.aud && body.aud !== AUDIENCE) throw notServed(`The audience "${body.aud}"`);
  if (body.password && body.password_hash) {
    const message = "Only a password or a password hash should be provided";
    throw new AuthError(400, "validation_failed", message);
  }
  if (body.password_hash && !/^\$2[aby]\$\d\d\$.{53}$/.test(body.password_hash)) {
    throw notServed("A password hash other than bcrypt");
  }
  if (body.id && !z.guid().safeParse(body.id).success) {
    throw new AuthError(400, "validation_failed", "ID must conform to the uuid v4 format");
  }
  if (body.password) checkPassword(body.password);
  return {
    id: body.id,
    role: body.role,
    email: body.email && checkEmail(body.email),
    passwordHash: body.password ? await hashPassword(body.password) : body.password_hash,
    confirmEmail: body.email_confirm,
    userMetadata: body.user_metadata,
    appMetadata: body.app_metadata,
    bannedUntil: body.ban_duration ? banEnd(body.ban_duration) : undefined,
  };
}

const UNIT_MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };

/** When a ban given in Go's notation (`24h`, `1h30m`) ends, counted from now; `none` lifts it. */
function banEnd(duration: string): Date | null {
  if (duration === "none") return null;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(duration)) {
    throw new AuthError(400, "validation_failed", `invalid format for ban duration: "${duration}"`);
  }
  const parts = duration.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g);
  const ms = [...parts].reduce(
    (sum, [, n, unit]) => sum + Number(n) * (UNIT_MS[unit as string] as number),
    0,
  );
  return new Date(Date.now() + ms);
}
