import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveWeb } from "../src/build.ts";

const config = { url: "http://127.0.0.1:54321", publishableKey: "sb_publishable_test" };
let root: string;
let site: (request: Request) => Promise<Response>;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "podbase-web-"));
  await mkdir(join(root, "site/assets"), { recursive: true });
  await writeFile(join(root, "secret.txt"), "not for the web");
  await writeFile(join(root, "site/index.html"), "<!doctype html><title>page</title>");
  await writeFile(join(root, "site/assets/index-abc.js"), "export {}");
  await writeFile(join(root, "site/assets/index-abc.css"), "a{}");
  await writeFile(join(root, "site/favicon.svg"), "<svg/>");
  await writeFile(join(root, "site/.podbase-build"), "hash");
  site = serveWeb(join(root, "site"), config);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const get = (path: string, init?: RequestInit) => site(new Request(`http://site.test${path}`, init));

describe("serveWeb", () => {
  it.each([
    ["/", "text/html; charset=utf-8"],
    ["/assets/index-abc.js", "text/javascript; charset=utf-8"],
    ["/assets/index-abc.css", "text/css; charset=utf-8"],
    ["/favicon.svg", "image/svg+xml"],
    ["/podbase.json", "application/json; charset=utf-8"],
  ])("serves %s as %s and forbids guessing", async (path, type) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("lets browsers keep files with a hash in their name, and ask again for all others", async () => {
    const cached = async (path: string) => (await get(path)).headers.get("cache-control");
    expect(await cached("/assets/index-abc.js")).toBe("public, max-age=31536000, immutable");
    expect(await cached("/")).toBe("no-cache");
    expect(await cached("/favicon.svg")).toBe("no-cache");
    expect(await cached("/podbase.json")).toBe("no-store");
  });

  it("answers 304 to a browser that has the file", async () => {
    const etag = (await get("/")).headers.get("etag");
    const again = await get("/", { headers: { "if-none-match": etag ?? "" } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
  });

  it("tells the page where its stack is, and no more", async () => {
    const chatty = serveWeb(join(root, "site"), { ...config, secretKey: "sb_secret" } as typeof config);
    expect(await (await chatty(new Request("http://site.test/podbase.json"))).json()).toEqual(config);
  });

  it("answers unknown paths without an extension with the page", async () => {
    for (const path of ["/readings/1", "/a/b/", "/%C3%A4"]) {
      const response = await get(path);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("<title>page</title>");
      expect(response.headers.get("cache-control")).toBe("no-cache");
    }
  });

  it("answers 404 for files that are not there", async () => {
    for (const path of ["/nothing.js", "/assets/index-old.js", "/robots.txt", "/.podbase-build", "/%"]) {
      expect((await get(path)).status).toBe(404);
    }
  });

  it("serves nothing from outside the build", async () => {
    for (const path of [
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/assets/..%2f..%2fsecret.txt",
    ]) {
      const response = await get(path);
      expect(response.status).toBe(404);
      expect(await response.text()).not.toContain("not for the web");
    }
  });

  it("answers HEAD without a body and refuses to be written to", async () => {
    const head = await get("/", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const post = await get("/", { method: "POST", body: "x" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("fails clearly when there is no build", async () => {
    const empty = serveWeb(join(root, "site/assets"), config);
    await expect(empty(new Request("http://site.test/"))).rejects.toThrow("holds no build");
  });
});

describe("the Content-Security-Policy", () => {
  const policyOf = async (url: string) => {
    const response = await serveWeb(join(root, "site"), { ...config, url })(new Request("http://site.test/"));
    const policy = response.headers.get("content-security-policy") ?? "";
    return new Map(
      policy.split("; ").map((part): [string, string[]] => {
        const [name = "", ...sources] = part.split(" ");
        return [name, sources];
      }),
    );
  };

  it("allows calls to the page's own origin and its stack only, sockets included", async () => {
    const policy = await policyOf("https://ref.supabase.co/");
    expect(policy.get("connect-src")).toEqual(["'self'", "https://ref.supabase.co", "wss://ref.supabase.co"]);
    const local = await policyOf("http://127.0.0.1:54321");
    expect(local.get("connect-src")).toEqual(["'self'", "http://127.0.0.1:54321", "ws://127.0.0.1:54321"]);
  });

  it("runs no inline code and no code from elsewhere", async () => {
    const policy = await policyOf(config.url);
    expect(policy.get("script-src")).toEqual(["'self'"]);
    expect(policy.get("style-src")).toEqual(["'self'"]);
    expect(policy.get("object-src")).toEqual(["'none'"]);
  });

  it("lets sound and the PDF frame come from the stack or from memory", async () => {
    const policy = await policyOf(config.url);
    for (const directive of ["media-src", "frame-src"]) {
      expect(policy.get(directive)).toEqual(expect.arrayContaining(["'self'", "blob:", config.url]));
    }
  });
});
