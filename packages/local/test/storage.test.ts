import { describe, expect, test } from "vitest";
import { filesOnDisk, must, storageOfFile } from "./auth-and-storage.ts";

const services = await storageOfFile();
const { storage } = services.admin;

const text = async (blob: Blob) => blob.text();

describe("objects", () => {
  const files = () => storage.from("own");

  test("go up in every body that storage-js sends and come back the same", async () => {
    const bytes = Buffer.from("Grüße aus dem Bucket");
    const bodies = {
      buffer: bytes,
      view: new Uint8Array(bytes),
      string: bytes.toString(),
      blob: new Blob([bytes], { type: "text/markdown" }),
      file: new File([bytes], "name.md", { type: "text/markdown" }),
      stream: new Blob([bytes]).stream(),
      form: new FormData(),
    };
    bodies.form.append("", new Blob([bytes], { type: "text/markdown" }), "x.md");
    for (const [kind, body] of Object.entries(bodies)) {
      const path = `bodies/${kind}.md`;
      const sent = await files().upload(path, body, { contentType: "text/markdown", cacheControl: "60" });
      expect(must(sent)).toMatchObject({
        path,
        fullPath: `own/${path}`,
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      const back = must(await files().download(path));
      expect(Buffer.from(await back.arrayBuffer()).equals(bytes), kind).toBe(true);
      expect(back.type).toBe("text/markdown");
      expect(must(await files().info(path))).toMatchObject({
        cacheControl: "max-age=60",
        size: bytes.length,
      });
    }
  });

  test("carry custom metadata, a size, an MD5 and times", async () => {
    const metadata = { camera: "f/2.8", tags: ["ä", "b"] };
    for (const [name, body] of [
      ["raw", "hello"],
      ["form", new Blob(["hello"], { type: "text/plain" })],
    ] as const) {
      const { id } = must(
        await files().upload(`meta/${name}`, body, { metadata, contentType: "text/plain" }),
      );
      expect(must(await files().info(`meta/${name}`))).toMatchObject({
        id,
        name: `meta/${name}`,
        bucketId: "own",
        size: 5,
        contentType: "text/plain",
        cacheControl: "max-age=3600",
        etag: '"5d41402abc4b2a76b9719d911017c592"',
        metadata,
        version: expect.any(String),
        createdAt: expect.any(String),
        lastModified: expect.any(String),
      });
    }
    expect(
      await services.sql`
      select path_tokens, storage.filename(name), storage.extension('a/b.tar.gz'), storage.foldername(name)
      from storage.objects where name = 'meta/raw'`,
    ).toEqual([{ path_tokens: ["meta", "raw"], filename: "raw", extension: "gz", foldername: ["meta"] }]);
    const refused = await files().upload("meta/odd", "x", { headers: { "x-metadata": btoa("[1]") } });
    expect(refused.error).toMatchObject({ statusCode: "400", code: "InvalidRequest" });
  });

  test("are overwritten only when asked, keep their id, and leave no bytes behind", async () => {
    const { id } = must(await files().upload("over.txt", "one"));
    const count = await filesOnDisk(services);
    expect((await files().upload("over.txt", "two")).error).toMatchObject({
      status: 400,
      statusCode: "409",
      message: "The resource already exists",
    });
    expect(await text(must(await files().download("over.txt")))).toBe("one");
    expect(must(await files().upload("over.txt", "two", { upsert: true })).id).toBe(id);
    expect(must(await files().update("over.txt", "three")).id).toBe(id);
    expect(await text(must(await files().download("over.txt")))).toBe("three");
    expect(await filesOnDisk(services)).toBe(count);
  });

  test("that are not there answer as the hosted API", async () => {
    expect((await files().download("none")).error).toMatchObject({ status: 400, statusCode: "404" });
    expect((await files().info("none")).error).toMatchObject({
      statusCode: "404",
      message: "Object not found",
    });
    expect(await files().exists("none")).toMatchObject({ data: false });
    expect((await storage.from("nowhere").upload("x", "x")).error).toMatchObject({
      message: "Bucket not found",
    });
    expect((await storage.from("nowhere").download("x")).error).toMatchObject({ statusCode: "404" });
    expect((await files().createSignedUrl("none", 60)).error).toMatchObject({ statusCode: "404" });
    expect((await files().move("none", "some")).error).toMatchObject({ statusCode: "404" });
    expect((await files().copy("none", "some")).error).toMatchObject({ statusCode: "404" });
    expect(must(await files().remove(["none"]))).toEqual([]);
  });

  test("are moved and copied within and between buckets", async () => {
    must(await storage.createBucket("other"));
    const other = storage.from("other");
    const { id } = must(await files().upload("from.txt", "cargo", { metadata: { a: 1 } }));
    must(await files().move("from.txt", "deep/to.txt"));
    expect(await files().exists("from.txt")).toMatchObject({ data: false });
    expect(must(await files().info("deep/to.txt"))).toMatchObject({ id, metadata: { a: 1 } });
    must(await files().move("deep/to.txt", "to.txt", { destinationBucket: "other" }));
    expect(await text(must(await other.download("to.txt")))).toBe("cargo");
    expect(must(await other.copy("to.txt", "twin.txt")).path).toBe("other/twin.txt");
    must(await other.update("twin.txt", "changed"));
    expect(await text(must(await other.download("to.txt")))).toBe("cargo");
    for (const taken of [await other.move("to.txt", "twin.txt"), await other.copy("to.txt", "twin.txt")]) {
      expect(taken.error).toMatchObject({ statusCode: "409", message: "The resource already exists" });
    }
    expect(await text(must(await other.download("twin.txt")))).toBe("changed");
    const kept = { copyMetadata: false, metadata: { mimetype: "text/csv" } };
    must(await other.copy("to.txt", "as.csv", { ...kept, destinationBucket: "own" }));
    expect(must(await files().info("as.csv"))).toMatchObject({ contentType: "text/csv", metadata: {} });
  });

  test("are removed one by one or many at once, with their bytes", async () => {
    const before = await filesOnDisk(services);
    for (const name of ["r/1", "r/2", "r/3"]) must(await files().upload(name, name));
    const removed = must(await files().remove(["r/1", "r/2", "r/none"]));
    expect(removed.map(({ name }) => name).sort()).toEqual(["r/1", "r/2"]);
    const one = await fetch(`${services.url}/storage/v1/object/own/r/3`, {
      method: "DELETE",
      headers: { apikey: services.keys.secrets.default as string },
    });
    expect(await one.json()).toEqual({ message: "Successfully deleted" });
    expect(await filesOnDisk(services)).toBe(before);
  });

  test("can't be deleted by SQL, which would leave the bytes", async () => {
    await expect(services.sql`delete from storage.objects`).rejects.toMatchObject({ code: "42501" });
    await expect(services.sql`delete from storage.buckets`).rejects.toMatchObject({ code: "42501" });
  });
});

test("what the local stack lacks answers 501", async () => {
  const call = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${services.url}/storage/v1${path}`, {
      method,
      headers: { apikey: services.keys.secrets.default as string, ...headers },
      ...(method === "POST" && { body: "{}" }),
    });
    return { status: response.status, body: await response.json() };
  };
  for (const [method, path] of [
    ["POST", "/upload/resumable"],
    ["GET", "/s3/bucket"],
    ["GET", "/render/image/authenticated/own/x.png"],
    ["POST", "/vector/CreateVectorBucket"],
    ["POST", "/object/list-v2/own"],
    ["GET", "/bucket/own/lifecycle"],
  ] as const) {
    expect(await call(method, path)).toMatchObject({
      status: 501,
      body: { code: "not_implemented", statusCode: "501" },
    });
  }
  expect(await call("POST", "/object/own/zipped", { "content-encoding": "gzip" })).toMatchObject({
    status: 501,
  });
  must(await storage.from("own").upload("image.png", "x"));
  const resized = await storage.from("own").createSignedUrl("image.png", 60, { transform: { width: 10 } });
  expect(resized.error).toMatchObject({ status: 501 });
});
