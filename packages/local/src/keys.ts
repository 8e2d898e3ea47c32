import { createHash, timingSafeEqual } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from "jose";
import type { Claims } from "./context.ts";
import { randomText } from "./random.ts";

/** A caller that can't be let in; `code` as PostgREST names it. */
export class CredentialError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "CredentialError";
    this.status = status;
    this.code = code;
  }
}

interface StoredKeys {
  publishable: string;
  secrets: Record<string, string>;
  privateJwk: JWK;
}

/** API keys and the signing key of one local project. Kept in `keys.json`, so sessions survive a restart. */
export interface Keys {
  publishable: string;
  /** Secret keys by name, as in `SUPABASE_SECRET_KEYS`; `default` always exists. */
  secrets: Record<string, string>;
  jwks: JSONWebKeySet;
  /** Signs ES256 with the project's `kid`. `lifetimeS` is in seconds. */
  sign(payload: JWTPayload, lifetimeS: number): Promise<string>;
  /** Verifies signature and expiry. Throws jose's errors. */
  verify(token: string): Promise<Claims>;
  /**
   * Who is calling, from `apikey` and `Authorization`, as the hosted gateway decides it: the key must be one of
   * the project's; a user's JWT, if there is one, outranks it. Throws CredentialError (401).
   */
  resolve(headers: Headers): Promise<Claims>;
  /** The role of an API key, or undefined when it is none of ours. */
  roleOf(apiKey: string | null | undefined): "anon" | "service_role" | undefined;
}

const same = (a: string, b: string): boolean =>
  timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());

async function loadOrCreate(file: string): Promise<StoredKeys> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as StoredKeys;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  const stored: StoredKeys = {
    publishable: `sb_publishable_${randomText(32)}`,
    secrets: { default: `sb_secret_${randomText(32)}`, podbase: `sb_secret_${randomText(32)}` },
    privateJwk: { ...jwk, kid: crypto.randomUUID(), alg: "ES256", use: "sig" },
  };
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(stored, null, 2), { mode: 0o600 });
  await rename(draft, file);
  return stored;
}

/** Reads the project's keys from `dataDir`, making them on the first start. */
export async function loadKeys(dataDir: string): Promise<Keys> {
  await mkdir(dataDir, { recursive: true });
  const { publishable, secrets, privateJwk } = await loadOrCreate(join(dataDir, "keys.json"));
  const privateKey = await importJWK(privateJwk, "ES256");
  const { d: _d, ...publicJwk } = privateJwk;
  const jwks: JSONWebKeySet = { keys: [{ ...publicJwk, key_ops: ["verify"] }] };
  const keySet = createLocalJWKSet(jwks);

  const verify = async (token: string): Promise<Claims> => {
    const { payload } = await jwtVerify(token, keySet, { algorithms: ["ES256"] });
    return { ...payload, role: typeof payload.role === "string" ? payload.role : "anon" } as Claims;
  };
  const roleOf = (apiKey: string | null | undefined): "anon" | "service_role" | undefined => {
    if (!apiKey) return undefined;
    if (same(apiKey, publishable)) return "anon";
    return Object.values(secrets).some((secret) => same(apiKey, secret)) ? "service_role" : undefined;
  };

  return {
    publishable,
    secrets,
    jwks,
    verify,
    roleOf,
    sign: (payload, lifetimeS) =>
      new SignJWT(payload)
        .setProtectedHeader({ alg: "ES256", kid: privateJwk.kid as string, typ: "JWT" })
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + lifetimeS)
        .sign(privateKey),
    async resolve(headers) {
      const bearer = headers.get("authorization")?.replace(/^Bearer\s+/i, "");
      const apiKey = headers.get("apikey") ?? bearer;
      if (!apiKey) throw new CredentialError(401, "PGRST302", "No API key found in request");
      const role = roleOf(apiKey);
      if (!role) throw new CredentialError(401, "PGRST301", "Invalid API key");
      if (!bearer || roleOf(bearer)) return { role };
      try {
        const claims = await verify(bearer);
        // Signed URLs carry tokens of the same key; `use` says what for. None of them is a caller's credential.
        if (claims.use !== undefined) throw new Error("a token for something else");
        return claims;
      } catch (error) {
        const expired = (error as { code?: string }).code === "ERR_JWT_EXPIRED";
        throw new CredentialError(
          401,
          expired ? "PGRST303" : "PGRST301",
          expired ? "JWT expired" : "Invalid JWT",
        );
      }
    },
  };
}
