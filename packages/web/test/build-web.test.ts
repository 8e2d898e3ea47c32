import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWeb, devWeb, serveWeb } from "../src/build.ts";

const config = { url: "http://127.0.0.1:54321", publishableKey: "sb_publishable_test" };
let root: string;
let outDir: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "podbase-web-"));
  outDir = join(root, "site");
  await buildWeb({ outDir });
}, 60_000);
afterAll(() => rm(root, { recursive: true, force: true }));

describe("buildWeb", () => {
  it("makes a site that can be served, with nothing left beside it", async () => {
    expect(await readdir(root)).toEqual(["site"]);
    const page = await (await serveWeb(outDir, config)(new Request("http://site.test/"))).text();
    expect(page).toMatch(/src="\/assets\/index-[\w-]+\.js"/);
    expect(page).not.toMatch(/<script>|<style|style="/);
  });

  it("bundles no validators, no engine, and nothing for development only", async () => {
    const assets = await readdir(join(outDir, "assets"));
    const scripts = assets.filter((name) => name.endsWith(".js"));
    const code = (
      await Promise.all(scripts.map((name) => readFile(join(outDir, "assets", name), "utf8")))
    ).join("");
    expect(code).not.toMatch(/ZodError|invalid_union|api\.runpod\.ai/);
    // React for production, though a test is what builds it.
    expect(code).not.toMatch(/jsxDEV|React DevTools/);
  });

  it("does nothing when the same sources are built already", async () => {
    const before = await stat(join(outDir, "index.html"));
    await buildWeb({ outDir });
    expect((await stat(join(outDir, "index.html"))).ino).toBe(before.ino);
  });

  it("makes a new build in place of another one, also twice at once", async () => {
    await rm(join(outDir, ".podbase-build"));
    await Promise.all([buildWeb({ outDir }), buildWeb({ outDir })]);
    expect(await readdir(root)).toEqual(["site"]);
    expect(await readdir(outDir)).toContain("index.html");
  }, 60_000);
});

describe("devWeb", () => {
  it("serves the page from its sources, with its config", async () => {
    const dev = await devWeb(config);
    try {
      const page = await (await dev.fetch(new Request("http://gateway.test/"))).text();
      expect(page).toContain("/main.tsx");
      expect(await (await dev.fetch(new Request("http://gateway.test/podbase.json"))).json()).toEqual(config);
      const module = await dev.fetch(new Request("http://gateway.test/boot.tsx"));
      expect(module.headers.get("content-type")).toContain("javascript");
    } finally {
      await dev.close();
    }
  }, 60_000);
});
