/**
 * `npm run check`: everything that needs no server. Types, lint and format for the whole repository, and each Edge
 * Function type-checked by Deno through its own deno.json, as the platform resolves it, which has to name all it imports.
 */
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { functionImports } from "./function-imports.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Runs a command of node_modules/.bin; its output is kept until the end and shown only if it failed. */
function run(name: string, command: string, args: string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let output = "";
    const child = spawn(`${ROOT}node_modules/.bin/${command}`, args, {
      cwd: ROOT,
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      console.log(
        `${code === 0 ? "ok  " : "FAIL"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
      );
      if (code !== 0) console.log(output);
      resolve(code === 0);
    });
  });
}

/** Whether the deno.json of a function names all that the function imports, exactly. */
async function importsOf(name: string): Promise<boolean> {
  const problems = await functionImports(ROOT, name);
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"} imports of ${name}`);
  for (const problem of problems) console.log(`     ${problem}`);
  return problems.length === 0;
}

const folders = await readdir(`${ROOT}supabase/functions`, { withFileTypes: true });
const functions = folders.filter((entry) => entry.isDirectory() && !entry.name.startsWith("_"));

const results = await Promise.all([
  run("types", "tsc", ["--noEmit", "-p", "."]),
  run("lint and format", "biome", ["ci", "--colors=off", "--error-on-warnings", "."]),
  ...functions.map(({ name }) =>
    run(`function ${name}`, "deno", [
      "check",
      "--no-lock",
      "--node-modules-dir=manual",
      "--config",
      `supabase/functions/${name}/deno.json`,
      `supabase/functions/${name}/index.ts`,
    ]),
  ),
  ...functions.map(({ name }) => importsOf(name)),
]);
process.exitCode = results.every(Boolean) ? 0 : 1;
