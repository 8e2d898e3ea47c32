import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

/** Bytes that `@podbase/client` adds to an app which has supabase-js already, minified. */
export interface BundleFigures {
  bytes: number;
  gzipBytes: number;
}

/** Builds an app that uses all of the client, as Vite builds it for production. */
export async function measureBundle(): Promise<BundleFigures> {
  // Outside node_modules nothing resolves by name, so the entry names the file.
  const client = fileURLToPath(import.meta.resolve("@podbase/client"));
  const folder = await mkdtemp(join(tmpdir(), "podbase-bench-bundle-"));
  try {
    const entry = join(folder, "entry.js");
    await writeFile(entry, `export { createPodbase } from ${JSON.stringify(client)};\n`);
    const built = await build({
      configFile: false,
      root: folder,
      logLevel: "silent",
      build: {
        write: false,
        minify: true,
        lib: { entry, formats: ["es"], fileName: "client" },
        rolldownOptions: { external: [/^@supabase\//] },
      },
    });
    const outputs = (Array.isArray(built) ? built : [built]).flatMap((part) =>
      "output" in part ? part.output : [],
    );
    const code = outputs.map((output) => (output.type === "chunk" ? output.code : "")).join("");
    return { bytes: Buffer.byteLength(code), gzipBytes: gzipSync(code).length };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
