import { request as rawRequest } from "node:http";
import { SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { loadKeys } from "../src/keys.ts";
import { filesOnDisk, must, signedUp, storageOfFile } from "./auth-and-storage.ts";

const services = await storageOfFile();
must(await services.admin.storage.createBucket("open", { public: true }));
const [ada, bob] = [await signedUp(services), await signedUp(services)];

const denied = { status: 400, statusCode: "403", message: "new row violates row-level security policy" };

describe("row level security", () => {
  test("lets users write in their own folder only, and records them as owners", async () => {
    const path = `${ada.id}/note.txt`;
    must(await ada.client.storage.from("own").upload(path, "mine"));
    const [row] = await services.sql`select owner::text, owner_id from storage.objects where name = ${path}`;
    expect(row).toEqual({ owner: ada.id, owner_id: ada.id });
    const count = await filesOnDisk(services);
    const bobs = bob.client.storage.from("own");
    const anonymous = services.client().storage.from("own");
    for (const intruder of [bobs, anonymous]) {
      expect((await intruder.upload(`${ada.id}/new.txt`, "x")).error).toMatchObject(denied);
      expect((await intruder.upload(path, "x", { upsert: true })).error).toMatchObject(denied);
      expect((await intruder.update(path, "x")).error).toMatchObject(denied);
      expect((await intruder.createSignedUploadUrl(path, { upsert: true })).error).toMatchObject(denied);
      expect((await intruder.upload(path, new Blob(["x"]), { upsert: true })).error).toMatchObject(denied);
    }
    expect(await filesOnDisk(services)).toBe(count);
  });

  test("hides others' objects from every way of reading, moving and removing", async () => {
    const path = `${ada.id}/secret.txt`;
    must(await ada.client.storage.from("own").upload(path, "secret"));
    for (const intruder of [bob.client.storage.from("own"), services.client().storage.from("own")]) {
      expect((await intruder.download(path)).error).toMatchObject({ statusCode: "404" });
      expect((await intruder.info(path)).error).toMatchObject({ statusCode: "404" });
      expect(must(await intruder.list(ada.id))).toEqual([]);
      expect((await intruder.createSignedUrl(path, 60)).error).toMatchObject({ statusCode: "404" });
      expect(must(await intruder.createSignedUrls([path], 60))).toMatchObject([
        { path, signedURL: null, error: expect.stringContaining("does not exist") },
      ]);
      expect((await intruder.move(path, `${bob.id}/stolen.txt`)).error).toMatchObject({ statusCode: "404" });
      expect((await intruder.copy(path, `${bob.id}/stolen.txt`)).error).toMatchObject({ statusCode: "404" });
      expect(must(await intruder.remove([path]))).toEqual([]);
    }
    const publicUrl = services.client().storage.from("own").getPublicUrl(path).data.publicUrl;
    expect(await (await fetch(publicUrl)).json()).toMatchObject({
      statusCode: "404",
      message: "Bucket not found",
    });
    const direct = await fetch(`${services.url}/storage/v1/object/own/${path}`, {
      method: "DELETE",
      headers: { apikey: services.keys.publishable, authorization: `Bearer ${bob.token}` },
    });
    expect(await direct.json()).toMatchObject({ statusCode: "403" });
    expect(await must(await services.admin.storage.from("own").download(path)).text()).toBe("secret");
  });

  test("keeps an object from being moved or copied to where its owner may not write", async () => {
    const own = ada.client.storage.from("own");
    must(await own.upload(`${ada.id}/a.txt`, "x"));
    const count = await filesOnDisk(services);
    expect((await own.move(`${ada.id}/a.txt`, `${bob.id}/a.txt`)).error).toMatchObject(denied);
    expect((await own.copy(`${ada.id}/a.txt`, `${bob.id}/a.txt`)).error).toMatchObject(denied);
    expect((await own.move(`${ada.id}/a.txt`, "a.txt", { destinationBucket: "open" })).error).toMatchObject(
      denied,
    );
    must(await own.move(`${ada.id}/a.txt`, `${ada.id}/b.txt`));
    expect(await filesOnDisk(services)).toBe(count);
  });

  test("an upload without the right to read works; overwriting needs reading and changing too", async () => {
    await services.sql.unsafe(`
      create policy "drop box" on storage.objects for insert to authenticated with check (bucket_id = 'box')`);
    must(await services.admin.storage.createBucket("box"));
    const box = ada.client.storage.from("box");
    must(await box.upload("letter.txt", "x"));
    expect((await box.upload("letter.txt", "y")).error).toMatchObject({ statusCode: "409" });
    expect((await box.upload("letter.txt", "y", { upsert: true })).error).toMatchObject(denied);
    expect((await box.download("letter.txt")).error).toMatchObject({ statusCode: "404" });
  });

  test("policies can tell operations apart", async () => {
    await services.sql.unsafe(`
      create policy "only sign" on storage.objects for select to authenticated
        using (bucket_id = 'signs' and storage.allow_only_operation('object.sign'));`);
    must(await services.admin.storage.createBucket("signs"));
    must(await services.admin.storage.from("signs").upload("x", "x"));
    const signs = ada.client.storage.from("signs");
    expect((await signs.download("x")).error).toMatchObject({ statusCode: "404" });
    const { signedUrl } = must(await signs.createSignedUrl("x", 60));
    expect(await (await fetch(signedUrl)).text()).toBe("x");
  });

  test("public buckets are read by everyone and written by no one else", async () => {
    must(await services.admin.storage.from("open").upload("hello.txt", "hello"));
    const anonymous = services.client().storage.from("open");
    expect(await (await fetch(anonymous.getPublicUrl("hello.txt").data.publicUrl)).text()).toBe("hello");
    expect(await (await fetch(`${services.url}/storage/v1/object/open/hello.txt`)).text()).toBe("hello");
    expect(await must(await anonymous.download("hello.txt")).text()).toBe("hello");
    expect((await anonymous.upload("mine.txt", "x")).error).toMatchObject(denied);
    expect(must(await anonymous.list())).toEqual([]);
  });
});

describe("credentials", () => {
  const get = async (path: string, headers: Record<string, string>) => {
    const response = await fetch(`${services.url}/storage/v1${path}`, { headers });
    return {
      status: response.status,
      ...((await response.json()) as { statusCode?: string; message?: string }),
    };
  };

  test("a missing or unknown API key is refused as by the gateway", async () => {
    expect(await get("/bucket", {})).toMatchObject({ status: 401, message: "No API key found in request" });
    expect(await get("/bucket", { apikey: "sb_secret_guess" })).toMatchObject({ status: 401 });
    expect(await get("/bucket", { authorization: `Bearer ${ada.token}` })).toMatchObject({ status: 401 });
  });

  test("expired, foreign, unsigned and forged user tokens are refused everywhere", async () => {
    const path = `/object/own/${ada.id}/cred.txt`;
    must(await ada.client.storage.from("own").upload(`${ada.id}/cred.txt`, "x"));
    const payload = { sub: ada.id, role: "authenticated" };
    const foreign = await loadKeys(`${services.dataDir}/foreign`);
    const jwk = services.keys.jwks.keys[0];
    for (const token of [
      await services.keys.sign(payload, -1),
      await foreign.sign(payload, 60),
      new UnsecuredJWT({ ...payload, role: "service_role" }).setExpirationTime("1h").encode(),
      await new SignJWT({ ...payload, role: "service_role" })
        .setProtectedHeader({ alg: "HS256", kid: jwk?.kid as string })
        .setExpirationTime("1h")
        .sign(new TextEncoder().encode(JSON.stringify(jwk))),
    ]) {
      const headers = { apikey: services.keys.publishable, authorization: `Bearer ${token}` };
      expect(await get("/bucket", headers)).toMatchObject({ status: 400, statusCode: "403" });
      expect(await get(path, headers)).toMatchObject({ status: 400, statusCode: "404" });
      const upload = await fetch(`${services.url}/storage/v1${path}2`, {
        method: "POST",
        headers,
        body: "x",
      });
      expect(await upload.json()).toMatchObject({ statusCode: "403" });
    }
  });

  test("the token of a signed URL is no user token, and a user token no signed URL", async () => {
    const path = `${ada.id}/typed.txt`;
    const own = ada.client.storage.from("own");
    must(await own.upload(path, "x"));
    const { signedUrl } = must(await own.createSignedUrl(path, 60));
    const { token: uploadToken } = must(await own.createSignedUploadUrl(path, { upsert: true }));
    const downloadToken = new URL(signedUrl).searchParams.get("token") as string;
    for (const token of [downloadToken, uploadToken]) {
      const headers = { apikey: services.keys.publishable, authorization: `Bearer ${token}` };
      expect(await get("/bucket", headers)).toMatchObject({ status: 400, statusCode: "403" });
      expect(await get(`/object/authenticated/own/${path}`, headers)).toMatchObject({ statusCode: "403" });
      const user = await fetch(`${services.url}/auth/v1/user`, { headers });
      expect(user.status).toBe(403);
    }
    for (const token of [ada.token, services.keys.secrets.default as string, uploadToken]) {
      expect(await get(`/object/sign/own/${path}?token=${token}`, {})).toMatchObject({ status: 400 });
    }
    for (const token of [ada.token, services.keys.secrets.default as string, downloadToken]) {
      const response = await fetch(
        `${services.url}/storage/v1/object/upload/sign/own/${path}?token=${token}`,
        {
          method: "PUT",
          body: "stolen",
        },
      );
      expect(response.status).toBe(400);
    }
    expect(await must(await own.download(path)).text()).toBe("x");
  });
});

describe("names", () => {
  /** The request line as it is: no client in between tidies the path up. */
  const raw = (method: string, path: string, body = "") =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const { hostname, port } = new URL(services.url);
      const headers = { apikey: services.keys.secrets.default as string, "content-type": "text/plain" };
      const request = rawRequest(
        { hostname, port, method, path: `/storage/v1/object/own/${path}`, headers },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk) => chunks.push(chunk));
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
          );
        },
      );
      request.on("error", reject);
      request.end(body);
    });

  test.each([
    "..%2f..%2fescape",
    "a/..%2f..%2f..%2f..%2fetc/passwd",
    "%2e%2e%2fescape",
    "a%00b",
    "a%0ab",
    "a%5c..%5cb",
    ".%2fhidden",
    "caf%C3%A9.txt",
    "%F0%9F%A6%86.txt",
    "tilde~",
    "%E0%A4%A",
  ])("the object name %s is refused for writing and reading", async (name) => {
    const count = await filesOnDisk(services);
    const written = await raw("POST", name, "x");
    expect(written.status).toBe(400);
    expect(JSON.parse(written.body)).toMatchObject({ statusCode: "400", code: "InvalidKey" });
    expect((await raw("GET", name)).status).toBe(400);
    expect(await filesOnDisk(services)).toBe(count);
  });

  test("dot segments that a client resolves never leave the service's routes", async () => {
    for (const path of ["../../../../etc/passwd", "%2e%2e/%2e%2e/%2e%2e/etc/passwd"]) {
      expect([400, 404, 501]).toContain((await raw("GET", path)).status);
    }
    expect((await raw("POST", "a/../moved.txt", "x")).status).toBe(200);
    expect(must(await services.admin.storage.from("own").exists("moved.txt"))).toBe(true);
  });

  test("unusual but allowed names work in every call", async () => {
    const own = services.admin.storage.from("own");
    for (const name of ["with space/& (more) 'q'.txt", "a+b=c;d,e:f@g!$*.txt", "...", "..dots../x..", "-"]) {
      must(await own.upload(name, name));
      expect(await must(await own.download(name)).text()).toBe(name);
      const { signedUrl } = must(await own.createSignedUrl(name, 60));
      expect(await (await fetch(signedUrl)).text()).toBe(name);
      const upload = must(await own.createSignedUploadUrl(name, { upsert: true }));
      must(await own.uploadToSignedUrl(name, upload.token, "again"));
      must(await own.move(name, `${name}.moved`));
      expect(must(await own.remove([`${name}.moved`]))).toHaveLength(1);
    }
  });

  test("a version that SQL made up names no file", async () => {
    const own = services.admin.storage.from("own");
    must(await own.upload("made-up", "x"));
    await services.sql`update storage.objects set version = '../../keys.json' where name = 'made-up'`;
    expect((await own.download("made-up")).error).toMatchObject({ statusCode: "404" });
    expect((await own.copy("made-up", "copied")).error).toMatchObject({ statusCode: "404" });
    must(await own.remove(["made-up"]));
  });
});
