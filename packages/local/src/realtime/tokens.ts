import { errors } from "jose";
import type { Claims } from "../context.ts";
import type { Keys } from "../keys.ts";

/** A token that lets nobody in; `code` and message as hosted Realtime writes them. */
export class TokenError extends Error {
  override name = "TokenError";
  readonly code: "InvalidJWTToken" | "MalformedJWT" | "JwtSignatureError";

  constructor(code: TokenError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** What hosted Realtime says of a token whose `exp` (seconds) has passed. */
export const expiredMessage = (exp: number): string =>
  `Token has expired ${Math.max(0, Math.floor(Date.now() / 1000) - exp)} seconds ago`;

/**
 * Claims of a channel's token. Without one, or with an API key instead of one, the channel speaks as the socket's key.
 * Throws TokenError.
 */
export async function claimsOfToken(
  keys: Keys,
  token: string | undefined,
  keyRole: Claims["role"],
): Promise<Claims> {
  if (token === undefined || token.startsWith("sb_")) return { role: keyRole };
  let claims: Claims;
  try {
    claims = await keys.verify(token);
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw new TokenError("InvalidJWTToken", expiredMessage(error.payload.exp ?? 0));
    if (error instanceof errors.JWSSignatureVerificationFailed)
      throw new TokenError("JwtSignatureError", "Failed to validate JWT signature");
    throw new TokenError("MalformedJWT", "The token provided is not a valid JWT");
  }
  if (claims.exp === undefined)
    throw new TokenError("InvalidJWTToken", "Fields `role` and `exp` are required in JWT");
  return claims;
}
