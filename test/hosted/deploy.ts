import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ManagementApi, UploadedFunction } from "./management-api.ts";

/** The repository's root. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** A token of the form that the CLI accepts. */
export const ACCESS_TOKEN = `sbp_${"0123456789abcdef".repeat(3).slice(0, 40)}`;
/** A reference of the form that the CLI accepts. */
export const PROJECT_REF = "abcdefghijklmnopqrst";
const CLI = createRequire(import.meta.url).resolve("supabase/dist/supabase.js");

/** How a command ended and all that it printed. */
export interface Ended {
  code: number;
  output: string;
}

/** A copy of the project, because the CLI writes into the folder it works in, and the CLI in it. */
export interface ProjectCopy {
  folder: string;
  /** For the CLI, with the stand-in `api` for api.supabase.com. */
  env(api: ManagementApi): Promise<Record<string, string>>;
  /** The real Supabase CLI in that environment, on a project of no importance. */
  supabase(api: ManagementApi, ...args: string[]): Promise<Ended>;
  remove(): Promise<void>;
}

/** Copies what a deploy reads: `supabase/` and the packages' sources. */
export async function copyProject(): Promise<ProjectCopy> {
  const folder = await mkdtemp(join(tmpdir(), "podbase-deploy-"));
  for (const part of ["supabase", "packages/core/src", "packages/edge/src"]) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  }
  const home = await mkdtemp(join(tmpdir(), "podbase-deploy-home-"));
  const profile = join(home, "profile.yaml");
  const env = async (api: ManagementApi) => {
    const lines = [
      "name: stand-in",
      `api_url: ${api.url}`,
      `dashboard_url: ${api.url}`,
      "project_host: stand-in.local",
    ];
    await writeFile(profile, lines.join("\n"));
    return {
      PATH: process.env.PATH ?? "",
      HOME: home,
      DO_NOT_TRACK: "1",
      SUPABASE_NO_UPDATE_NOTIFIER: "1",
      SUPABASE_ACCESS_TOKEN: ACCESS_TOKEN,
      SUPABASE_PROFILE: profile,
    };
  };
  return {
    folder,
    env,
    async supabase(api, ...args) {
      const target = [`--remote=${PROJECT_REF}`, "--agent", "no", "--yes"];
      return run(process.execPath, [CLI, ...args, ...target], { cwd: folder, env: await env(api) });
    },
    async remove() {
      await rm(folder, { recursive: true, force: true });
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Writes an upload's files into `folder`, by default a new one that then has nothing else. */
export async function unpack({ files }: UploadedFunction, into?: string): Promise<string> {
  const folder = into ?? (await mkdtemp(join(tmpdir(), "podbase-uploaded-")));
  for (const [path, text] of files) {
    const file = join(folder, path);
    // A path that climbs out of the folder would be found where a hosted project has nothing.
    if (!file.startsWith(folder)) throw new Error(`${path} is outside of the upload`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return folder;
}

/** Runs a command to its end. */
export function run(
  command: string,
  args: string[],
  options: { cwd: string; env: Record<string, string> },
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : error ? 1 : 0;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}
