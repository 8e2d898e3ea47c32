import { access, readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { defaultFunctionSection, readProjectConfig } from "../project-config.ts";

/** One Edge Function as `supabase/config.toml` and the folder `supabase/functions` define it. */
export interface FunctionConfig {
  name: string;
  /** Whether the gateway asks for a user's JWT before the function runs. */
  verifyJwt: boolean;
  /** Absolute path of the entry point. */
  entrypoint: string;
  /** Deno's flags that name its configuration or import map. */
  configFlags: string[];
}

/** Reads the functions of a project by name. Throws on a `config.toml` that is wrong. */
export async function readFunctions(projectDir: string): Promise<Map<string, FunctionConfig>> {
  const supabase = join(projectDir, "supabase");
  const { functions } = await readProjectConfig(projectDir);
  const names = new Set([...Object.keys(functions), ...(await folders(join(supabase, "functions")))]);
  const configs = new Map<string, FunctionConfig>();
  for (const name of names) {
    const section = functions[name] ?? defaultFunctionSection();
    const folder = join(supabase, "functions", name);
    const entrypoint = section.entrypoint ? resolve(supabase, section.entrypoint) : join(folder, "index.ts");
    if (!section.enabled || !(await exists(entrypoint))) continue;
    const configFlags = section.import_map
      ? flagsFor(resolve(supabase, section.import_map))
      : await defaultFlags(folder);
    configs.set(name, { name, verifyJwt: section.verify_jwt, entrypoint, configFlags });
  }
  return configs;
}

/** Folders that can be functions: those of shared code begin with `_`. */
async function folders(parent: string): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name)).map(({ name }) => name);
}

const flagsFor = (file: string): string[] =>
  /^deno\.jsonc?$/.test(basename(file)) ? ["--config", file] : ["--no-config", "--import-map", file];

async function defaultFlags(folder: string): Promise<string[]> {
  for (const name of ["deno.json", "deno.jsonc"]) {
    if (await exists(join(folder, name))) return ["--config", join(folder, name)];
  }
  return ["--no-config"];
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
