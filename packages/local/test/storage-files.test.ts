import { createHash, randomBytes, randomUUID } from "node:crypto";
import { request as rawRequest } from "node:http";
import { describe, expect, test } from "vitest";
import { filesOnDisk, must, signedUp, storageOfFile } from "./auth-and-storage.ts";

const MIB = 1024 * 1024;

const services = await storageOfFile();
const bucket = (name = "own") => services.admin.storage.from(name);
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

const tooLarge = {
  status: 400,
  statusCode: "413",
  message: "The object exceeded the maximum allowed size",
};

describe("size and type", () => {
  test("an empty file and one of exactly the limit are stored, one byte more is not", async () => {
    must(await bucket().upload("empty", new Uint8Array()));
    expect(must(await bucket().download("empty")).size).toBe(0);
    const full = randomBytes(50 * MIB);
    must(await bucket().upload("full", full));
    const back = Buffer.from(await must(await bucket().download("full")).arrayBuffer());
    expect(md5(back)).toBe(md5(full));
    const over = await bucket().upload("over", Buffer.concat([full, Buffer.from("x")]));
    expect(over.error).toMatchObject(tooLarge);
    must(await bucket().remove(["full"]));
  });

  test.each(["raw", "form", "stream"])("the limit is kept for a body that comes as %s", async (kind) => {
    must(
      await services.admin.storage.createBucket(`limit-${kind}`, { public: false, fileSizeLimit: 2 * MIB }),
    );
    const target = bucket(`limit-${kind}`);
    const count = await filesOnDisk(services);
    const bodyOf = (bytes: Buffer<ArrayBuffer>) => {
      if (kind === "raw") return bytes;
      return kind === "form" ? new Blob([bytes]) : new Blob([bytes]).stream();
    };
    const full = randomBytes(2 * MIB);
    expect((await target.upload("over", bodyOf(Buffer.concat([full, full])))).error).toMatchObject(tooLarge);
    expect(await filesOnDisk(services)).toBe(count);
    must(await target.upload("full", bodyOf(full)));
    expect(must(await target.info("full"))).toMatchObject({ size: full.length, etag: `"${md5(full)}"` });
    expect(await target.exists("over")).toMatchObject({ data: false });
  });

  test("a bucket may ask for less, and for certain types", async () => {
    must(
      await services.admin.storage.createBucket("small", {
        public: false,
        fileSizeLimit: 10,
        allowedMimeTypes: ["audio/wav", "image/*"],
      }),
    );
    const upload = (body: string | Blob, contentType: string) =>
      bucket("small").upload(`x-${randomUUID()}`, body, { contentType });
    expect((await upload("0123456789", "audio/wav")).error).toBeNull();
    expect((await upload("0123456789a", "audio/wav")).error).toMatchObject({ statusCode: "413" });
    expect((await upload("x", "image/png")).error).toBeNull();
    expect((await upload("x", "text/plain")).error).toMatchObject({
      status: 400,
      statusCode: "415",
      message: "mime type text/plain is not supported",
    });
    expect((await upload(new Blob(["x"], { type: "image/png" }), "")).error).toBeNull();
    expect((await upload(new Blob(["x"], { type: "text/html" }), "")).error).toMatchObject({
      statusCode: "415",
    });
  });

  test("a refused upload of many megabytes still gets its answer", async () => {
    const { client, id } = await signedUp(services);
    const big = randomBytes(30 * MIB);
    for (const body of [big, new Blob([big])]) {
      expect((await client.storage.from("own").upload("not-mine", body)).error).toMatchObject({
        statusCode: "403",
      });
    }
    const noKey = await fetch(`${services.url}/storage/v1/object/own/${id}/x`, { method: "POST", body: big });
    expect(noKey.status).toBe(401);
  });
});

describe("at once", () => {
  test("of overwrites one wins whole: row, bytes and hash agree, and no file stays behind", async () => {
    must(await bucket().upload("contested", "start"));
    const count = await filesOnDisk(services);
    const contents = Array.from({ length: 12 }, (_, i) => Buffer.alloc(200_000 + i, i));
    const results = await Promise.all(
      contents.map((body) => bucket().upload("contested", body, { upsert: true })),
    );
    expect(results.every(({ error }) => error === null)).toBe(true);
    const won = Buffer.from(await must(await bucket().download("contested")).arrayBuffer());
    expect(contents.some((body) => body.equals(won))).toBe(true);
    expect(must(await bucket().info("contested"))).toMatchObject({ size: won.length, etag: `"${md5(won)}"` });
    expect(await filesOnDisk(services)).toBe(count);
  });

  test("of first uploads to one name exactly one is accepted", async () => {
    const count = await filesOnDisk(services);
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) => bucket().upload("first", `content ${i}`)),
    );
    const winner = results.findIndex(({ error }) => error === null);
    expect(results.filter(({ error }) => error === null)).toHaveLength(1);
    expect(results.filter(({ error }) => error?.statusCode === "409")).toHaveLength(7);
    expect(await must(await bucket().download("first")).text()).toBe(`content ${winner}`);
    expect(await filesOnDisk(services)).toBe(count + 1);
  });

  test("readers during overwrites get one version whole, never a mixture or an error", async () => {
    const version = (i: number) => Buffer.alloc(300_000, i);
    must(await bucket().upload("busy", version(0)));
    let writing = true;
    const writer = (async () => {
      for (let i = 1; i <= 20; i++) must(await bucket().update("busy", version(i)));
      writing = false;
    })();
    const reader = async () => {
      let reads = 0;
      while (writing) {
        const bytes = Buffer.from(await must(await bucket().download("busy")).arrayBuffer());
        expect(bytes.equals(version(bytes[0] as number))).toBe(true);
        reads++;
      }
      return reads;
    };
    const [, ...reads] = await Promise.all([writer, reader(), reader()]);
    expect(Math.min(...reads)).toBeGreaterThan(0);
  });
});

describe("interruptions", () => {
  test.each([
    ["text/plain", ""],
    [
      "multipart/form-data; boundary=cut",
      '--cut\r\ncontent-disposition: form-data; name=""; filename="x"\r\ncontent-type: text/plain\r\n\r\n',
    ],
  ])("an upload as %s that breaks off leaves neither row nor bytes", async (type, beginning) => {
    const count = await filesOnDisk(services);
    const { hostname, port } = new URL(services.url);
    const upload = rawRequest({
      hostname,
      port,
      method: "POST",
      path: "/storage/v1/object/own/broken",
      headers: {
        apikey: services.keys.secrets.default as string,
        "content-type": type,
        "content-length": 5_000_000,
      },
    });
    upload.on("error", () => {});
    upload.write(beginning + "x".repeat(1_000_000));
    // Broken off only once the service has begun to write.
    await expect.poll(() => filesOnDisk(services)).toBe(count + 1);
    upload.destroy();
    await expect.poll(() => filesOnDisk(services)).toBe(count);
    expect(await bucket().exists("broken")).toMatchObject({ data: false });
  });

  test("a form without a file, or cut short, is refused", async () => {
    const send = async (body: string) => {
      const response = await fetch(`${services.url}/storage/v1/object/own/cut-short`, {
        method: "POST",
        headers: {
          apikey: services.keys.secrets.default as string,
          "content-type": "multipart/form-data; boundary=b",
        },
        body,
      });
      return { status: response.status, ...(await response.json()) };
    };
    const part = (head: string, value: string) =>
      `--b\r\ncontent-disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
    const count = await filesOnDisk(services);
    for (const body of [
      "",
      "nonsense",
      `${part('name="cacheControl"', "60")}--b--\r\n`,
      part('name=""; filename="x"', "no end"),
    ]) {
      expect(await send(body), body).toMatchObject({ status: 400, statusCode: "400" });
    }
    expect(await filesOnDisk(services)).toBe(count);
    expect(await send(`${part('name=""; filename="x"', "whole")}--b--\r\n`)).toMatchObject({ status: 200 });
  });

  test("a row that Postgres refuses after the bytes came takes them away again", async () => {
    await services.sql.unsafe(`
      create function public.refuse() returns trigger language plpgsql as $$
      begin
        if new.name = 'late' and new.metadata ? 'eTag' then raise check_violation using message = 'too late'; end if;
        return new;
      end $$;
      create trigger refuse before insert on storage.objects for each row execute function public.refuse();`);
    const count = await filesOnDisk(services);
    expect((await bucket().upload("late", "x")).error).toMatchObject({ status: 500, statusCode: "500" });
    expect(await filesOnDisk(services)).toBe(count);
    expect(services.logged.at(-1)).toContain("too late");
    await services.sql`drop function public.refuse() cascade`;
  });
});
