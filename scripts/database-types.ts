import { type ExecFileOptions, execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const SUPABASE = require.resolve("supabase/dist/supabase.js");
const BIOME = require.resolve("@biomejs/biome/bin/biome");
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where the types of schema `podbase` stand, from the repository's root. */
export const DATABASE_TYPES = "packages/client/src/database-types.ts";

const HEAD = `// Made by \`npm run generate:types\` (supabase gen types) from supabase/migrations. A test fails when it is behind.

`;

/**
 * What the Supabase CLI generates for schema `podbase` of the database at `ownerUrl`, formatted as the repository is.
 * Rejects with the CLI's words.
 */
export async function renderDatabaseTypes(ownerUrl: string): Promise<string> {
  // The CLI writes into the folder it works in and into its home.
  const folder = await mkdtemp(join(tmpdir(), "podbase-types-"));
  try {
    const flags = ["--lang=typescript", "--schema=podbase", `--remote=${ownerUrl}?sslmode=disable`];
    const types = await run([SUPABASE, "gen", "types", ...flags], "", {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, DO_NOT_TRACK: "1", SUPABASE_NO_UPDATE_NOTIFIER: "1" },
    });
    return await run([BIOME, "format", `--stdin-file-path=${DATABASE_TYPES}`], HEAD + types, { cwd: ROOT });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The standard output of a Node program. */
function run(args: string[], input: string, options: ExecFileOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      args,
      { ...options, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${args.slice(1, 3).join(" ")}: ${stderr}`, { cause: error }));
        else resolve(String(stdout));
      },
    );
    child.stdin?.end(input);
  });
}
