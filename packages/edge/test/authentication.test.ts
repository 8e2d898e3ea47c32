import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { authentication } from "../src/authentication.ts";

const USER = "11111111-1111-4111-8111-111111111111";
const SECRET = "super-secret-jwt-token-with-at-least-32-characters";
const KEYS = { default: "sb_secret_default", cron: "sb_secret_cron" };
const utf8 = (text: string) => new TextEncoder().encode(text);

type Signing = { alg: string; kid?: string; key: CryptoKey | Uint8Array };
const sign = ({ alg, kid, key }: Signing, claims: object = {}, expires = "1h") =>
  new SignJWT({ sub: USER, role: "authenticated", aud: "authenticated", ...claims })
    .setProtectedHeader({ alg, typ: "JWT", ...(kid === undefined ? {} : { kid }) })
    .setExpirationTime(expires)
    .sign(key);
const pair = async (alg: "ES256" | "RS256", kid: string) => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return {
    alg,
    kid,
    key: privateKey,
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), alg, kid, use: "sig" },
  };
};
const [ec, rsa, foreign] = await Promise.all([
  pair("ES256", "ec"),
  pair("RS256", "rsa"),
  // Another project that happens to name its key alike.
  pair("ES256", "ec"),
]);
const legacy = (secret = SECRET, kid?: string): Signing => ({
  alg: "HS256",
  key: utf8(secret),
  ...(kid === undefined ? {} : { kid }),
});
const serviceRole = await sign(legacy(), { sub: undefined, role: "service_role" }, "10y");
const anon = await sign(legacy(), { sub: undefined, role: "anon" }, "10y");

beforeEach(() => {
  vi.stubEnv("SUPABASE_URL", "https://project.supabase.co");
  vi.stubEnv("SUPABASE_JWKS", JSON.stringify({ keys: [ec.jwk, rsa.jwk] }));
  vi.stubEnv("SUPABASE_PUBLISHABLE_KEYS", '{"default":"sb_publishable_default"}');
});
afterEach(() => vi.unstubAllEnvs());

const auth = authentication({
  secretKeys: { ...KEYS, "legacy service_role": serviceRole },
  legacyJwtSecret: SECRET,
});
const asking = (headers: Record<string, string>) =>
  new Request("https://f/request-job", { method: "POST", headers });
const bearer = (token: string) =>
  asking({ authorization: `Bearer ${token}`, apikey: "sb_publishable_default" });

describe("the user of a request", () => {
  it.each([
    ["ES256", () => sign(ec)],
    ["RS256", () => sign(rsa)],
    ["HS256 with the project's JWT secret", () => sign(legacy())],
    ["HS256 with the JWT secret and a key id", () => sign(legacy(SECRET, "standby"))],
  ])("is known by a token signed %s", async (_what, token) => {
    expect(await auth.userOf(bearer(await token()))).toBe(USER);
  });

  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const refused: [string, () => Promise<string> | string][] = [
    ["expired", () => sign(ec, {}, "-1m")],
    ["expired and signed with the JWT secret", () => sign(legacy(), {}, "-1m")],
    ["not valid yet", () => sign(ec, { nbf: Math.floor(Date.now() / 1000) + 600 })],
    ["of another project", () => sign(foreign)],
    ["of another project's JWT secret", () => sign(legacy("another-secret-of-another-project-32"))],
    ["signed with an unknown key id", () => sign({ ...ec, kid: "gone" })],
    ["unsigned", () => `${part({ alg: "none" })}.${part({ sub: USER, exp: 9e9 })}.`],
    [
      "unsigned under our key id",
      () => `${part({ alg: "none", kid: "ec" })}.${part({ sub: USER, exp: 9e9 })}.`,
    ],
    [
      "HS256 by the public key as PEM",
      async () => sign({ alg: "HS256", kid: "rsa", key: utf8(await exportSPKI(rsa.publicKey)) }),
    ],
    [
      "HS256 by the public key as JWK",
      () => sign({ alg: "HS256", kid: "ec", key: utf8(JSON.stringify(ec.jwk)) }),
    ],
    [
      "HS256 by the public key's coordinate",
      () => sign({ alg: "HS256", key: Buffer.from(String(ec.jwk.x), "base64url") }),
    ],
    ["HS512 by the JWT secret", () => sign({ alg: "HS512", key: utf8(SECRET.repeat(2)) })],
    ["cut off", async () => (await sign(ec)).slice(0, -8)],
    ["changed", async () => (await sign(ec)).replace(/\.[^.]+\./, `.${part({ sub: USER, exp: 9e9 })}.`)],
    ["no JWT at all", () => "x".repeat(20_000)],
    ["a secret key", () => KEYS.default],
    ["a publishable key", () => "sb_publishable_default"],
    ["the legacy anon key", () => anon],
    ["the legacy service_role key", () => serviceRole],
    ["for nobody", () => sign(ec, { sub: undefined })],
    ["for somebody who is no user of Auth", () => sign(ec, { sub: "google-oauth2|1" })],
    ["for an array", () => sign(legacy(), { sub: [USER] })],
  ];
  it.each(refused)("is nobody when the token is %s", async (_what, token) => {
    expect(await auth.userOf(bearer(await token()))).toBeNull();
  });

  it("is nobody without a token, with another scheme, or with a user's token as API key", async () => {
    const token = await sign(ec);
    for (const headers of [
      {},
      { authorization: `Basic ${token}` },
      { authorization: token },
      { apikey: token },
    ]) {
      expect(await auth.userOf(asking(headers as Record<string, string>))).toBeNull();
    }
  });

  it("is nobody by HS256 in a project whose JWT secret is not given", async () => {
    const modern = authentication({ secretKeys: KEYS, legacyJwtSecret: undefined });
    expect(await modern.userOf(bearer(await sign(legacy())))).toBeNull();
    expect(await modern.userOf(bearer(await sign(ec)))).toBe(USER);
  });

  it("is not known, which is no refusal, while there are no keys to verify with", async () => {
    vi.stubEnv("SUPABASE_JWKS", "not JSON");
    await expect(auth.userOf(bearer(await sign(ec)))).rejects.toMatchObject({
      code: "internal",
      retryable: true,
    });
    expect(await auth.userOf(asking({}))).toBeNull();
  });
});

describe("cron is trusted", () => {
  it.each([
    ["the default secret key", KEYS.default],
    ["a secret key with a name", KEYS.cron],
    ["the legacy service_role key", serviceRole],
  ])("with %s in apikey", async (_what, apikey) => {
    expect(await auth.isTrusted(asking({ apikey }))).toBe(true);
  });

  it("with nothing else", async () => {
    const user = await sign(ec);
    const otherServiceRole = await sign(legacy("another-secret-of-another-project-32"), {
      role: "service_role",
    });
    const all: Record<string, string>[] = [
      {},
      { apikey: "sb_publishable_default" },
      { apikey: anon },
      { apikey: user },
      { apikey: otherServiceRole },
      { apikey: KEYS.default.slice(0, -1) },
      { apikey: `${KEYS.default}x` },
      { apikey: "" },
      { authorization: `Bearer ${KEYS.default}` },
      { authorization: `Bearer ${serviceRole}` },
      { authorization: `Bearer ${user}`, apikey: "sb_publishable_default" },
    ];
    for (const headers of all)
      expect([headers, await auth.isTrusted(asking(headers))]).toEqual([headers, false]);
  });

  it("by the legacy key only where the project still has one", async () => {
    const modern = authentication({ secretKeys: KEYS, legacyJwtSecret: undefined });
    expect(await modern.isTrusted(asking({ apikey: serviceRole }))).toBe(false);
  });
});
