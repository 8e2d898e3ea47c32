import { createHmac } from "node:crypto";
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadKeys } from "../src/keys.ts";
import { signedUp, startServices, type TestServices } from "./auth-and-storage.ts";

let services: TestServices;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services.stop());

const refresh = async (token: string) => {
  const response = await fetch(`${services.url}/auth/v1/token?grant_type=refresh_token`, {
    method: "POST",
    headers: { apikey: services.keys.publishable },
    body: JSON.stringify({ refresh_token: token }),
  });
  return (await response.json()) as { refresh_token: string; access_token: string; error_code?: string };
};

/** As if all that happened in the user's sessions had happened a minute ago. */
const aMinutePasses = (userId: string) =>
  services.sql`update auth.refresh_tokens set updated_at = updated_at - interval '1 minute' where user_id = ${userId}`;

async function newSession() {
  const { client, id, token } = await signedUp(services);
  const { data } = await client.auth.getSession();
  return { id, accessToken: token, refreshToken: data.session?.refresh_token ?? "" };
}

describe("refreshing", () => {
  test("replaces the refresh token and keeps the session", async () => {
    const { id, refreshToken } = await newSession();
    const next = await refresh(refreshToken);
    expect(next.refresh_token).not.toBe(refreshToken);
    const { data } = await services.client().auth.getUser(next.access_token);
    expect(data.user?.id).toBe(id);
    expect(await services.sql`select count(*)::int from auth.sessions where user_id = ${id}`).toEqual([
      { count: 1 },
    ]);
  });

  test("an answer that got lost can be asked for again, however late", async () => {
    const { id, refreshToken } = await newSession();
    const next = await refresh(refreshToken);
    await aMinutePasses(id);
    expect((await refresh(refreshToken)).refresh_token).toBe(next.refresh_token);
  });

  test("tabs that refresh at once all get the same session on", async () => {
    const { refreshToken } = await newSession();
    const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(refreshToken)));
    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
  });

  test("within ten seconds even an older token is honoured, with the active one", async () => {
    const { refreshToken } = await newSession();
    const second = await refresh(refreshToken);
    const third = await refresh(second.refresh_token);
    expect((await refresh(refreshToken)).refresh_token).toBe(third.refresh_token);
  });

  test("later, an older token is theft: the session ends for both parties", async () => {
    const { id, refreshToken } = await newSession();
    const second = await refresh(refreshToken);
    const third = await refresh(second.refresh_token);
    await aMinutePasses(id);
    expect((await refresh(refreshToken)).error_code).toBe("refresh_token_already_used");
    expect((await refresh(third.refresh_token)).error_code).toBe("refresh_token_not_found");
    const { error } = await services.client().auth.getUser(third.access_token);
    expect(error?.name).toBe("AuthSessionMissingError");
  });

  test("unknown, missing and logged-out tokens are refused", async () => {
    const { id, refreshToken } = await newSession();
    expect((await refresh("nonsense")).error_code).toBe("refresh_token_not_found");
    expect((await refresh("")).error_code).toBe("validation_failed");
    await services.sql`delete from auth.sessions where user_id = ${id}`;
    expect((await refresh(refreshToken)).error_code).toBe("refresh_token_not_found");
    const { error } = await services.client().auth.refreshSession({ refresh_token: refreshToken });
    expect(error).toMatchObject({ status: 400, code: "refresh_token_not_found" });
  });

  test("an expired access token in the header keeps nobody from refreshing", async () => {
    const { id, refreshToken } = await newSession();
    const expired = await services.keys.sign({ sub: id, role: "authenticated", aud: "authenticated" }, -60);
    const response = await fetch(`${services.url}/auth/v1/token?grant_type=refresh_token`, {
      method: "POST",
      headers: { apikey: services.keys.publishable, authorization: `Bearer ${expired}` },
      body: JSON.stringify({ refresh_token: refreshToken }),
    });
    expect(response.status).toBe(200);
  });
});

describe("access tokens", () => {
  const getUser = async (token?: string, method = "GET") => {
    const response = await fetch(`${services.url}/auth/v1/user`, {
      method,
      headers: {
        apikey: services.keys.publishable,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(method === "PUT" && { body: JSON.stringify({ data: { owned: true } }) }),
    });
    return { status: response.status, code: (await response.json()).error_code as string | undefined };
  };

  test("their lifetime is an option", async () => {
    const auth = services.authWith({ accessTokenLifetimeS: 7 });
    const response = await auth.fetch(
      new Request(`${services.url}/auth/v1/signup`, {
        method: "POST",
        headers: { apikey: services.keys.publishable },
        body: "{}",
      }),
    );
    const session = await response.json();
    expect(session.expires_in).toBe(7);
    const claims = await services.keys.verify(session.access_token);
    expect((claims.exp ?? 0) - (claims.iat as number)).toBe(7);
  });

  test("none at all, an API key or nonsense is no user", async () => {
    expect(await getUser()).toEqual({ status: 401, code: "no_authorization" });
    expect(await getUser(services.keys.publishable)).toEqual({ status: 403, code: "bad_jwt" });
    expect(await getUser(services.keys.secrets.default)).toEqual({ status: 403, code: "bad_jwt" });
    expect(await getUser("a.b.c")).toEqual({ status: 403, code: "bad_jwt" });
  });

  test("forged, foreign, unsigned and expired ones are refused, for reading and for writing", async () => {
    const { id } = await newSession();
    const payload = { sub: id, role: "authenticated", aud: "authenticated" };
    const foreign = await loadKeys(`${services.dataDir}/foreign`);
    const jwk = services.keys.jwks.keys[0] as Parameters<typeof importJWK>[0];
    const publicPem = await exportSPKI((await importJWK(jwk, "ES256")) as CryptoKey);
    const withPublicKey = async (secret: string) =>
      new SignJWT(payload)
        .setProtectedHeader({ alg: "HS256", kid: jwk.kid as string })
        .setExpirationTime("1h")
        .sign(new TextEncoder().encode(secret));
    const [head, body, signature] = (await services.keys.sign(payload, 60)).split(".") as [
      string,
      string,
      string,
    ];
    const otherBody = Buffer.from(JSON.stringify({ ...payload, role: "service_role" })).toString("base64url");
    const rawHmac = createHmac("sha256", publicPem).update(`${head}.${body}`).digest("base64url");
    for (const token of [
      await foreign.sign(payload, 60),
      new UnsecuredJWT(payload).setExpirationTime("1h").encode(),
      await withPublicKey(publicPem),
      await withPublicKey(JSON.stringify(jwk)),
      await services.keys.sign(payload, -1),
      `${head}.${otherBody}.${signature}`,
      `${head}.${body}.${rawHmac}`,
      `${head}.${body}.`,
    ]) {
      expect(await getUser(token)).toEqual({ status: 403, code: "bad_jwt" });
      expect(await getUser(token, "PUT")).toEqual({ status: 403, code: "bad_jwt" });
    }
    expect(await getUser(await services.keys.sign(payload, 60))).toEqual({ status: 200, code: undefined });
  });

  test("a good signature is not enough: subject, session and user must exist", async () => {
    const { id } = await newSession();
    const other = await newSession();
    const sign = (claims: Record<string, unknown>) =>
      services.keys.sign({ role: "authenticated", ...claims }, 60);
    const [{ id: othersSession } = { id: "" }] = await services.sql<{ id: string }[]>`
      select id from auth.sessions where user_id = ${other.id}`;
    expect((await getUser(await sign({}))).code).toBe("bad_jwt");
    expect((await getUser(await sign({ sub: "me" }))).code).toBe("bad_jwt");
    expect((await getUser(await sign({ sub: crypto.randomUUID() }))).code).toBe("user_not_found");
    expect((await getUser(await sign({ sub: id, session_id: "mine" }))).code).toBe("bad_jwt");
    for (const session of [crypto.randomUUID(), othersSession]) {
      expect((await getUser(await sign({ sub: id, session_id: session }))).code).toBe("session_not_found");
    }
  });
});
