import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "vite";
import { sourcesHash } from "./sources-hash.ts";
import { viteConfig } from "./vite.ts";

export type { WebConfig } from "./config.ts";
export { type DevWeb, devWeb } from "./dev.ts";
export { serveWeb } from "./serve.ts";

/** Hidden, so that `serveWeb` never serves it. */
const stampName = ".podbase-build";

/**
 * Makes a production build of the page, quietly. Does nothing if `outDir` already holds a build of the same
 * sources. Builds beside `outDir` and then takes its place, so a reader sees the old build or the new one, and two
 * builds at once end with either. Rejects with Vite's error if the sources do not build.
 *
 * @param options.outDir folder of the build; whatever it holds is replaced
 */
export async function buildWeb({ outDir }: { outDir: string }): Promise<void> {
  const target = resolve(outDir);
  const hash = await sourcesHash();
  if ((await stampOf(target)) === hash) return;

  const fresh = `${target}.${randomUUID().slice(0, 8)}`;
  try {
    const config = viteConfig();
    await build({
      ...config,
      mode: "production",
      // Also where the caller runs as something else, such as a test: libraries choose their code by it.
      oxc: { jsx: { runtime: "automatic", development: false } },
      define: { "process.env.NODE_ENV": JSON.stringify("production") },
      build: { ...config.build, outDir: fresh, emptyOutDir: true, reportCompressedSize: false },
    });
    await writeFile(join(fresh, stampName), hash);
    await rm(target, { recursive: true, force: true });
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process may have put the same build in place between the two lines above.
    if ((await stampOf(target)) !== hash) throw error;
  }
}

async function stampOf(dir: string): Promise<string | undefined> {
  return readFile(join(dir, stampName), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
