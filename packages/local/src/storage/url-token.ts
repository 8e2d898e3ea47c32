import type { StorageContext } from "./storage-context.ts";
import { StorageError } from "./storage-error.ts";

/** What the holder of a signed URL may do. No other token of the project has this in its `use` claim. */
export type UrlUse = "storage-download" | "storage-upload";

/** Claims of a signed URL's token. It names no role and no subject, so it says nothing anywhere else. */
export interface UrlToken {
  use: UrlUse;
  /** `<bucket>/<object name>`. */
  url: string;
  /** Uploads only: whether an object may be overwritten. */
  upsert?: boolean;
  /** Uploads only: subject of the caller who minted the URL. */
  owner?: string;
  /** Seconds since the epoch. */
  exp: number;
}

/** Mints a token that is valid for `lifetimeS` seconds. */
export const signUrlToken = (
  storage: StorageContext,
  token: Omit<UrlToken, "exp">,
  lifetimeS: number,
): Promise<string> => storage.keys.sign({ ...token }, lifetimeS);

/** The claims of a URL's token, if it is for this use of this object. Throws StorageError. */
export async function verifyUrlToken(
  storage: StorageContext,
  request: Request,
  use: UrlUse,
  url: string,
): Promise<UrlToken> {
  const token = new URL(request.url).searchParams.get("token") ?? "";
  let claims: Partial<UrlToken>;
  try {
    claims = (await storage.keys.verify(token)) as unknown as Partial<UrlToken>;
  } catch (error) {
    throw new StorageError(400, "InvalidJWT", (error as Error).message);
  }
  if (claims.use !== use) throw invalidSignature(`Token is not scoped for ${use}`);
  if (claims.url !== url) throw invalidSignature("Invalid signature");
  return claims as UrlToken;
}

const invalidSignature = (message: string) => new StorageError(400, "InvalidSignature", message);
