import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signedUp, startServices, type TestServices } from "./auth-and-storage.ts";

let services: TestServices;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.stop());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${services.url}/auth/v1${path}`, {
    method: "POST",
    headers: { apikey: services.keys.publishable, "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

describe("signing up and in", () => {
  test("a new user has a session at once, with GoTrue's claims in an ES256 token", async () => {
    const client = services.client();
    const { data, error } = await client.auth.signUp({
      email: "Ada@Podbase.test",
      password: "correct horse",
      options: { data: { nickname: "ada", email_verified: false } },
    });
    expect(error).toBeNull();
    expect(data.user).toMatchObject({
      email: "ada@podbase.test",
      role: "authenticated",
      aud: "authenticated",
      is_anonymous: false,
      app_metadata: { provider: "email", providers: ["email"] },
      user_metadata: { nickname: "ada", email_verified: true },
    });
    expect(data.user?.identities).toMatchObject([
      { provider: "email", id: data.user?.id, identity_data: { email: "ada@podbase.test", nickname: "ada" } },
    ]);
    const token = data.session?.access_token ?? "";
    expect(decodeProtectedHeader(token)).toMatchObject({
      alg: "ES256",
      kid: services.keys.jwks.keys[0]?.kid,
    });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      iss: `${services.url}/auth/v1`,
      sub: data.user?.id,
      aud: "authenticated",
      role: "authenticated",
      email: "ada@podbase.test",
      phone: "",
      aal: "aal1",
      amr: [{ method: "password", timestamp: expect.any(Number) }],
      session_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      is_anonymous: false,
      app_metadata: { provider: "email" },
      user_metadata: { nickname: "ada" },
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600);
    expect(data.session?.expires_at).toBe(claims.exp);
    const { data: verified } = await client.auth.getClaims();
    expect(verified?.claims.sub).toBe(data.user?.id);
  });

  test("password sign-in works in any case of the address and never tells which half is wrong", async () => {
    const { email, id } = await signedUp(services);
    const client = services.client();
    const good = await client.auth.signInWithPassword({
      email: email.toUpperCase(),
      password: "correct horse",
    });
    expect(good.data.user?.id).toBe(id);
    for (const attempt of [
      { email, password: "wrong horse" },
      { email: "nobody@podbase.test", password: "correct horse" },
    ]) {
      const { error } = await client.auth.signInWithPassword(attempt);
      expect(error).toMatchObject({ status: 400, code: "invalid_credentials" });
    }
  });

  test("refusals carry GoTrue's codes", async () => {
    const { email } = await signedUp(services);
    const client = services.client();
    const again = await client.auth.signUp({ email, password: "another horse" });
    expect(again.error).toMatchObject({ status: 422, code: "user_already_exists" });
    const weak = await client.auth.signUp({ email: "weak@podbase.test", password: "12345" });
    expect(weak.error).toMatchObject({ status: 422, code: "weak_password", reasons: ["length"] });
    const malformed = await client.auth.signUp({ email: "not an address", password: "correct horse" });
    expect(malformed.error).toMatchObject({ status: 400, code: "validation_failed" });
    const local = await services.client().auth.signUp({ email: "ada@localhost", password: "correct horse" });
    expect(local.error).toBeNull();
    const long = await client.auth.signUp({ email: "long@podbase.test", password: "é".repeat(40) });
    expect(long.error).toMatchObject({ status: 400, code: "validation_failed" });
    expect(await (await post("/signup", "{")).json()).toMatchObject({ code: 400, error_code: "bad_json" });
    expect(await (await post("/signup", { email: 7 })).json()).toMatchObject({ error_code: "bad_json" });
    expect(await (await post("/token?grant_type=dance", {})).json()).toMatchObject({
      code: 400,
      error_code: "invalid_credentials",
    });
  });

  test("of several sign-ups with one address at once, one wins", async () => {
    const attempt = () =>
      services.client().auth.signUp({ email: "race@podbase.test", password: "correct horse" });
    const results = await Promise.all([attempt(), attempt(), attempt(), attempt()]);
    expect(results.filter(({ error }) => error === null)).toHaveLength(1);
    expect(results.filter(({ error }) => error?.code === "user_already_exists")).toHaveLength(3);
  });

  test("an anonymous user becomes permanent with an address and keeps the id", async () => {
    const client = services.client();
    const { data } = await client.auth.signInAnonymously({ options: { data: { theme: "dark" } } });
    expect(data.user).toMatchObject({ is_anonymous: true, email: "", app_metadata: {}, identities: [] });
    expect(decodeJwt(data.session?.access_token ?? "")).toMatchObject({
      is_anonymous: true,
      amr: [{ method: "anonymous" }],
      role: "authenticated",
    });
    const alone = await client.auth.updateUser({ password: "correct horse" });
    expect(alone.error).toMatchObject({ status: 422, code: "validation_failed" });
    const taken = (await signedUp(services)).email;
    expect((await client.auth.updateUser({ email: taken })).error).toMatchObject({ code: "email_exists" });
    const kept = await client.auth.updateUser({ email: "kept@podbase.test", password: "correct horse" });
    expect(kept.data.user).toMatchObject({
      id: data.user?.id,
      is_anonymous: false,
      email: "kept@podbase.test",
      app_metadata: { provider: "email", providers: ["email"] },
      user_metadata: { theme: "dark", email_verified: true },
      identities: [{ provider: "email", identity_data: { email_verified: true } }],
    });
    const { data: refreshed } = await client.auth.refreshSession();
    expect(decodeJwt(refreshed.session?.access_token ?? "").is_anonymous).toBe(false);
    const back = await services.client().auth.signInWithPassword({
      email: "kept@podbase.test",
      password: "correct horse",
    });
    expect(back.data.user?.id).toBe(data.user?.id);
  });
});

describe("the caller's account", () => {
  test("metadata is merged, null removes a key, and app_metadata is not the caller's to set", async () => {
    const { client, token } = await signedUp(services);
    await client.auth.updateUser({ data: { a: 1, b: { deep: true } } });
    const { data } = await client.auth.updateUser({ data: { a: null, c: "x" } });
    expect(data.user?.user_metadata).toEqual({ b: { deep: true }, c: "x", email_verified: true });
    const response = await fetch(`${services.url}/auth/v1/user`, {
      method: "PUT",
      headers: { apikey: services.keys.publishable, authorization: `Bearer ${token}` },
      body: JSON.stringify({ app_metadata: { role: "admin" } }),
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error_code: "not_admin" });
  });

  test("a new password ends the other sessions, and must be new", async () => {
    const { client, email } = await signedUp(services);
    const other = services.client();
    await other.auth.signInWithPassword({ email, password: "correct horse" });
    expect((await client.auth.updateUser({ password: "correct horse" })).error?.code).toBe("same_password");
    expect((await client.auth.updateUser({ password: "better horse" })).error).toBeNull();
    expect((await other.auth.getUser()).error?.name).toBe("AuthSessionMissingError");
    expect((await client.auth.getUser()).error).toBeNull();
    const signIn = (password: string) => services.client().auth.signInWithPassword({ email, password });
    expect((await signIn("correct horse")).error?.code).toBe("invalid_credentials");
    expect((await signIn("better horse")).error).toBeNull();
  });

  test.each([
    ["local", [true, false]],
    ["others", [false, true]],
    ["global", [true, true]],
  ] as const)("log-out with scope %s ends the right sessions", async (scope, [hereEnds, thereEnds]) => {
    const { client: here, email, token: hereToken } = await signedUp(services);
    const there = services.client();
    const { data } = await there.auth.signInWithPassword({ email, password: "correct horse" });
    const thereToken = data.session?.access_token ?? "";
    expect((await here.auth.signOut({ scope })).error).toBeNull();
    const ended = async (token: string) => (await services.client().auth.getUser(token)).error !== null;
    expect([await ended(hereToken), await ended(thereToken)]).toEqual([hereEnds, thereEnds]);
  });
});

describe("what is around", () => {
  test("every route but the keys needs one of the project's API keys", async () => {
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${services.url}/auth/v1${path}`, { headers });
    expect((await get("/.well-known/jwks.json")).status).toBe(200);
    expect((await get("/health")).status).toBe(401);
    const wrong = await get("/settings", { apikey: "sb_publishable_wrong" });
    expect(wrong.status).toBe(401);
    expect(await wrong.json()).toMatchObject({ code: 401, error_code: "no_authorization" });
    const settings = await get("/settings", { apikey: services.keys.publishable });
    expect(await settings.json()).toMatchObject({ external: { anonymous_users: true, email: true } });
    const health = await get("/health", { apikey: services.keys.publishable });
    expect(await health.json()).toMatchObject({ name: "GoTrue" });
    expect(await (await get("/.well-known/jwks.json")).json()).toEqual(services.keys.jwks);
  });

  test("what the local stack lacks answers 501", async () => {
    const { client } = await signedUp(services);
    const anonymous = services.client();
    for (const { error } of [
      await anonymous.auth.signInWithOtp({ email: "otp@podbase.test" }),
      await anonymous.auth.resetPasswordForEmail("otp@podbase.test"),
      await anonymous.auth.signInWithIdToken({ provider: "google", token: "x" }),
      await anonymous.auth.signInWithSSO({ domain: "podbase.test" }),
      await client.auth.mfa.enroll({ factorType: "totp" }),
      await client.auth.updateUser({ email: "elsewhere@podbase.test" }),
      await services.admin.auth.admin.generateLink({ type: "magiclink", email: "otp@podbase.test" }),
    ]) {
      expect(error).toMatchObject({ status: 501, message: expect.stringContaining("not served") });
    }
    const response = await post("/otp", { email: "otp@podbase.test" });
    expect(response.status).toBe(501);
    expect(await response.json()).toEqual({
      code: 501,
      error_code: "not_implemented",
      msg: "POST /otp is not served by the local stack",
    });
  });

  test("a browser that an app sends to sign in elsewhere is told so too, for it has no key", async () => {
    for (const path of ["/authorize?provider=github", "/callback?code=x", "/verify?token=x&type=signup"]) {
      const response = await fetch(`${services.url}/auth/v1${path}`, { redirect: "manual" });
      expect(response.status, path).toBe(501);
    }
  });
});
