import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { functionImports } from "../scripts/function-imports.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "podbase-imports-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function project(imports: Record<string, string>): Promise<string[]> {
  const files = {
    "supabase/functions/f/index.ts": `import "lib"; import "../_shared/x.ts"; export default {};`,
    "supabase/functions/_shared/x.ts": `export {};`,
    "lib/index.ts": `import "deeper"; import "node:path";`,
    "lib/deeper.ts": `import type {} from "types"; export {};`,
    "lib/types.ts": `export {};`,
    "supabase/functions/f/deno.json": JSON.stringify({ imports }),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return functionImports(root, "f");
}

const LIB = { lib: "../../../lib/index.ts" };
const DEEPER = { deeper: "../../../lib/deeper.ts" };
const TYPES = { types: "../../../lib/types.ts" };

it("accepts a function whose deno.json names all that it reaches", async () => {
  expect(await project({ ...LIB, ...DEEPER, ...TYPES })).toEqual([]);
});

it("misses what only an imported file imports, types too", async () => {
  expect(await project({ ...LIB, ...DEEPER })).toEqual(["types is imported and not in deno.json"]);
});

it("refuses what is never imported, folders, and versions that are not exact", async () => {
  expect(await project({ ...LIB, deeper: "../../../lib", ...TYPES, spare: "npm:spare@1.0.0" })).toContain(
    "deeper is mapped to ../../../lib, which is no file",
  );
  expect(await project({ ...LIB, deeper: "npm:deeper@^1", spare: "npm:spare@1.0.0" })).toEqual([
    "deeper is mapped to npm:deeper@^1, not an exact npm version",
    "spare is in deno.json and never imported",
  ]);
});
