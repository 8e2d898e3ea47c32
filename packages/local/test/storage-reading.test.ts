import { describe, expect, test } from "vitest";
import { filesOnDisk, must, signedUp, storageOfFile } from "./auth-and-storage.ts";

const services = await storageOfFile();
const bucket = () => services.admin.storage.from("own");
must(await bucket().upload("song.wav", "0123456789", { contentType: "audio/wav", cacheControl: "60" }));

/** A private object with the secret key; each value of `headers` goes along. */
const get = (path = "song.wav", headers: Record<string, string> = {}, method = "GET") =>
  fetch(`${services.url}/storage/v1/object/authenticated/own/${path}`, {
    method,
    headers: { apikey: services.keys.secrets.default as string, ...headers },
  });

describe("reading", () => {
  test("says type, length, age, hash and that ranges work; HEAD says the same", async () => {
    const { etag, lastModified } = {
      etag: '"781e5e245d69b566979b86e28d23f2c7"',
      lastModified: expect.stringMatching(/GMT$/),
    };
    for (const method of ["GET", "HEAD"]) {
      const response = await get("song.wav", {}, method);
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "audio/wav",
        "content-length": "10",
        "accept-ranges": "bytes",
        "cache-control": "max-age=60",
        etag,
        "last-modified": lastModified,
      });
      expect(await response.text()).toBe(method === "GET" ? "0123456789" : "");
    }
    expect((await get("none", {}, "HEAD")).status).toBe(400);
  });

  test.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=4-", "456789", "bytes 4-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=-99", "0123456789", "bytes 0-9/10"],
    ["bytes=8-99", "89", "bytes 8-9/10"],
    ["bytes=9-9", "9", "bytes 9-9/10"],
  ])("a range %s gives 206 with %s", async (range, body, contentRange) => {
    const response = await get("song.wav", { range });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(contentRange);
    expect(response.headers.get("content-length")).toBe(String(body.length));
    expect(await response.text()).toBe(body);
  });

  test.each(["bytes=10-", "bytes=5-4", "bytes=-0", "bytes=-", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b"])(
    "a range %s is refused with 416",
    async (range) => {
      const response = await get("song.wav", { range });
      expect(response.status).toBe(416);
      expect(await response.json()).toMatchObject({ statusCode: "416", code: "InvalidRange" });
    },
  );

  test("a range of an empty file is refused, and If-Range asks for all of a changed one", async () => {
    must(await bucket().upload("empty.wav", ""));
    expect((await get("empty.wav", { range: "bytes=0-" })).status).toBe(416);
    const etag = (await get()).headers.get("etag") as string;
    expect((await get("song.wav", { range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    expect((await get("song.wav", { range: "bytes=0-1", "if-range": '"old"' })).status).toBe(200);
  });

  test("what the caller has already is not sent again", async () => {
    const first = await get();
    const etag = first.headers.get("etag") as string;
    const modified = first.headers.get("last-modified") as string;
    for (const headers of [
      { "if-none-match": etag },
      { "if-none-match": `"other", W/${etag}` },
      { "if-none-match": "*" },
      { "if-modified-since": modified },
    ]) {
      const response = await get("song.wav", headers as Record<string, string>);
      expect(response.status).toBe(304);
      expect(await response.text()).toBe("");
    }
    expect(
      (await get("song.wav", { "if-none-match": '"other"', "if-modified-since": modified })).status,
    ).toBe(200);
    const before = new Date(Date.parse(modified) - 60_000).toUTCString();
    expect((await get("song.wav", { "if-modified-since": before })).status).toBe(200);
  });

  test("a page is served as text, and `download` names the attachment", async () => {
    must(await bucket().upload("page.html", "<script>", { contentType: "text/html;charset=utf-8" }));
    expect((await get("page.html")).headers.get("content-type")).toBe("text/plain");
    const disposition = async (query: string) =>
      (await get(`song.wav${query}`)).headers.get("content-disposition");
    expect(await disposition("")).toBeNull();
    expect(await disposition("?download")).toBe("attachment;");
    expect(await disposition("?download=Lied%20f%C3%BCr%20%22B%22%0d%0a.wav")).toBe(
      "attachment; filename=Lied%20f%C3%BCr%20%22B%22%0D%0A.wav; filename*=UTF-8''Lied%20f%C3%BCr%20%22B%22%0D%0A.wav",
    );
  });
});

describe("signed URLs to read", () => {
  const sign = async (options = {}) =>
    must(await bucket().createSignedUrl("song.wav", 60, options)).signedUrl;

  test("work without credentials, for ranges and HEAD, and say when they end", async () => {
    const url = await sign();
    const response = await fetch(url);
    expect(await response.text()).toBe("0123456789");
    expect(Date.parse(response.headers.get("expires") ?? "")).toBeGreaterThan(Date.now());
    const part = await fetch(url, { headers: { range: "bytes=2-3" } });
    expect([part.status, await part.text()]).toEqual([206, "23"]);
    expect((await fetch(url, { method: "HEAD" })).headers.get("content-length")).toBe("10");
    const named = await fetch(await sign({ download: "lied.wav" }));
    expect(named.headers.get("content-disposition")).toContain("filename=lied.wav");
  });

  test("are for one object, for reading, and for their time", async () => {
    must(await bucket().upload("other.wav", "other"));
    const token = new URL(await sign()).searchParams.get("token") as string;
    const url = "own/song.wav";
    const read = async (path: string, withToken: string, method = "GET") => {
      const response = await fetch(`${services.url}/storage/v1/object/sign/own/${path}?token=${withToken}`, {
        method,
      });
      return { status: response.status, ...((await response.json()) as object) };
    };
    const [head, , signature] = token.split(".") as [string, string, string];
    const forged = Buffer.from(JSON.stringify({ use: "storage-download", url: "own/other.wav", exp: 9e9 }));
    expect(await read("other.wav", token)).toMatchObject({ status: 400, code: "InvalidSignature" });
    for (const bad of [
      "",
      "nonsense",
      `${token.slice(0, -4)}AAAA`,
      `${head}.${forged.toString("base64url")}.${signature}`,
      await services.keys.sign({ use: "storage-download", url }, -1),
    ]) {
      expect(await read("song.wav", bad), bad).toMatchObject({ status: 400, code: "InvalidJWT" });
    }
    for (const claims of [{ url }, { use: "storage-upload", url }, { use: "storage-download" }]) {
      expect(await read("song.wav", await services.keys.sign(claims, 60))).toMatchObject({
        code: "InvalidSignature",
      });
    }
    expect(await read("song.wav", token, "DELETE")).toMatchObject({ status: 401 });
  });

  test("come several at once, each object answering for itself", async () => {
    const signed = must(await bucket().createSignedUrls(["song.wav", "none.wav"], 60));
    expect(signed).toMatchObject([
      { path: "song.wav", error: null, signedUrl: expect.stringContaining("token=") },
      { path: "none.wav", error: expect.stringContaining("does not exist"), signedUrl: null },
    ]);
    expect(await (await fetch(signed[0]?.signedUrl ?? "")).text()).toBe("0123456789");
    for (const lifetime of [0, -1, 1.5, Number.NaN]) {
      expect((await bucket().createSignedUrl("song.wav", lifetime)).error).toMatchObject({
        statusCode: "400",
      });
    }
  });

  test("outlive a loss of rights, but not the object", async () => {
    must(await bucket().upload("gone.wav", "x"));
    const { signedUrl } = must(await bucket().createSignedUrl("gone.wav", 60));
    must(await bucket().remove(["gone.wav"]));
    expect((await fetch(signedUrl)).status).toBe(400);
  });
});

describe("signed URLs to upload", () => {
  test("take raw bytes or a form, once, for the owner who asked", async () => {
    const { client, id } = await signedUp(services);
    const own = client.storage.from("own");
    const slot = async (name: string, upsert = false) =>
      must(await own.createSignedUploadUrl(`${id}/${name}`, { upsert }));
    const raw = await slot("raw.wav");
    const put = (url: string, body: string, headers: Record<string, string> = {}) =>
      fetch(url, { method: "PUT", body, headers: { "content-type": "audio/wav", ...headers } });
    expect(await (await put(raw.signedUrl, "RIFF")).json()).toEqual({ Key: `own/${id}/raw.wav` });
    expect(must(await own.info(`${id}/raw.wav`))).toMatchObject({ contentType: "audio/wav", size: 4 });
    const [row] =
      await services.sql`select owner::text, owner_id from storage.objects where name = ${`${id}/raw.wav`}`;
    expect(row).toEqual({ owner: id, owner_id: id });
    const again = await put(raw.signedUrl, "again", { "x-upsert": "true" });
    expect(await again.json()).toMatchObject({ statusCode: "409" });
    const form = await slot("form.wav");
    const anonymous = services.client().storage.from("own");
    const sent = await anonymous.uploadToSignedUrl(
      form.path,
      form.token,
      new Blob(["RIFF"], { type: "audio/wav" }),
    );
    expect(must(sent)).toMatchObject({ path: form.path, fullPath: `own/${form.path}` });
    expect(await must(await own.download(form.path)).text()).toBe("RIFF");
  });

  test("overwrite as often as wanted when made for that", async () => {
    const { signedUrl } = must(await bucket().createSignedUploadUrl("slot.txt", { upsert: true }));
    const count = await filesOnDisk(services);
    for (const body of ["one", "two"])
      expect((await fetch(signedUrl, { method: "PUT", body })).status).toBe(200);
    expect(await must(await bucket().download("slot.txt")).text()).toBe("two");
    expect(await filesOnDisk(services)).toBe(count + 1);
  });

  test("are for one object and two hours", async () => {
    const { token } = must(await bucket().createSignedUploadUrl("bound.txt"));
    const claims = await services.keys.verify(token);
    expect((claims.exp ?? 0) - (claims.iat as number)).toBe(7200);
    expect(claims).toMatchObject({ use: "storage-upload", url: "own/bound.txt", upsert: false });
    const put = async (path: string, withToken: string) => {
      const url = `${services.url}/storage/v1/object/upload/sign/own/${path}?token=${withToken}`;
      return (await (await fetch(url, { method: "PUT", body: "x" })).json()) as { code: string };
    };
    expect((await put("elsewhere.txt", token)).code).toBe("InvalidSignature");
    expect((await put("bound.txt", `${token}x`)).code).toBe("InvalidJWT");
    const expired = await services.keys.sign(
      { use: "storage-upload", url: "own/bound.txt", upsert: true },
      -1,
    );
    expect((await put("bound.txt", expired)).code).toBe("InvalidJWT");
    expect(await bucket().exists("bound.txt")).toMatchObject({ data: false });
  });

  test("are not made for what is there already, or for a bucket that isn't", async () => {
    expect((await bucket().createSignedUploadUrl("song.wav")).error).toMatchObject({ statusCode: "409" });
    const nowhere = services.admin.storage.from("nowhere");
    expect((await nowhere.createSignedUploadUrl("x")).error).toMatchObject({ statusCode: "404" });
  });
});
