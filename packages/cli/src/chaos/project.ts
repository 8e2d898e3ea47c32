import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const JOBS = fileURLToPath(new URL("jobs.ts", import.meta.url));

/**
 * A Supabase project beside the one in `projectDir`, made of links to its migrations, functions and settings; only
 * `_shared/jobs.ts` is another. Inside `projectDir`, because the functions find their packages from there, and kept, because
 * it holds nothing of its own. Gives its folder.
 */
export async function makeChaosProject(projectDir: string): Promise<string> {
  const folder = join(projectDir, ".podbase", "chaos");
  const functions = join(folder, "supabase", "functions");
  await mkdir(join(functions, "_shared"), { recursive: true });
  await link(JOBS, join(functions, "_shared", "jobs.ts"));
  const theirs = join(projectDir, "supabase", "functions");
  for (const name of await readdir(theirs)) {
    if (!/^[._]/.test(name)) await link(join(theirs, name), join(functions, name));
  }
  for (const name of ["config.toml", "migrations"]) {
    await link(join(projectDir, "supabase", name), join(folder, "supabase", name));
  }
  // What the functions' deno.json name by paths of their own, and Deno's cache.
  for (const name of ["packages", "node_modules", ".podbase"]) {
    await link(join(projectDir, name), join(folder, name));
  }
  return folder;
}

/** Makes a link that is there already, too: two runs may begin at once. */
async function link(target: string, path: string): Promise<void> {
  await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
