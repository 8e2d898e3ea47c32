import { execFile } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { findDeno } from "../packages/local/src/functions/deno-binary.ts";

const EXACT = /^npm:(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+(?:-[\w.]+)?(?:\/[\w./-]+)?$/;

interface Graph {
  modules: { specifier: string; dependencies?: { specifier: string }[] }[];
}

/**
 * What stands in the way of a complete upload of the Edge Function `name`, in words; nothing when all is well. The
 * Supabase CLI uploads what the function's own deno.json names and says nothing of the rest, which only resolves here,
 * through `node_modules`. So each bare specifier that the function reaches has to stand in its deno.json, mapped to a file
 * or to an exact npm version, and nothing else has, as that would be uploaded too.
 */
export async function functionImports(root: string, name: string): Promise<string[]> {
  const folder = join(root, "supabase", "functions", name);
  const config = join(folder, "deno.json");
  const { imports = {} } = JSON.parse(await readFile(config, "utf8")) as { imports?: Record<string, string> };
  const flags = ["--json", "--no-lock", "--node-modules-dir=manual", "--config", config];
  const { stdout } = await promisify(execFile)(findDeno(), ["info", ...flags, join(folder, "index.ts")], {
    cwd: root,
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
    maxBuffer: 64 * 1024 * 1024,
  });
  const reached = new Set(
    (JSON.parse(stdout) as Graph).modules
      .filter(
        (module) => module.specifier.startsWith("file:") && !module.specifier.includes("/node_modules/"),
      )
      .flatMap((module) => module.dependencies ?? [])
      .map((dependency) => dependency.specifier)
      .filter((specifier) => !/^(\.|\/|node:)/.test(specifier)),
  );
  const problems: string[] = [];
  for (const specifier of reached) {
    if (!(specifier in imports)) problems.push(`${specifier} is imported and not in deno.json`);
  }
  for (const [specifier, target] of Object.entries(imports)) {
    if (!reached.has(specifier)) problems.push(`${specifier} is in deno.json and never imported`);
    else if (target.startsWith(".")) {
      const file = resolve(folder, target);
      const found = await access(file).then(
        () => true,
        () => false,
      );
      if (!found || !/\.tsx?$/.test(file))
        problems.push(`${specifier} is mapped to ${target}, which is no file`);
    } else if (!EXACT.test(target))
      problems.push(`${specifier} is mapped to ${target}, not an exact npm version`);
  }
  return problems;
}
