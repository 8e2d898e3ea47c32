/** `npm run size`: how much of an app's bundle the client is, minified and gzipped, without supabase-js and React. */
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const SOURCES = fileURLToPath(new URL("../../src/", import.meta.url));

/** The goal for everything an app may import, in bytes. */
export const GOAL_BYTES = 12_000;

/** Bytes of a bundle that holds all of these modules of the package (names without ending). */
export async function bundleSize(...modules: string[]): Promise<{ minified: number; gzipped: number }> {
  const entry = "\0entry";
  const built = await build({
    configFile: false,
    logLevel: "warn",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) =>
          id === entry
            ? modules.map((name) => `export * from ${JSON.stringify(`${SOURCES}${name}.ts`)};`).join("\n")
            : undefined,
      },
    ],
    build: {
      write: false,
      minify: true,
      target: "es2022",
      rolldownOptions: {
        input: entry,
        preserveEntrySignatures: "strict",
        external: /^(react|@supabase\/)/,
        checks: { bundlerTimings: false },
      },
    },
  });
  const outputs = [built].flat().flatMap((result) => ("output" in result ? result.output : []));
  const code = outputs.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("");
  return { minified: Buffer.byteLength(code), gzipped: gzipSync(code, { level: 9 }).length };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const modules of [["index"], ["index", "react"], ["index", "react", "react-native"]]) {
    const { minified, gzipped } = await bundleSize(...modules);
    console.log(`${modules.join(" + ").padEnd(30)} ${minified} bytes minified, ${gzipped} gzipped`);
  }
  console.log(`goal: ${GOAL_BYTES} gzipped`);
}
