import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { watch } from "chokidar";

/** What changed: the code of one function, or something that any function may use. */
export type FunctionChange = { kind: "function"; name: string } | { kind: "shared" };

const IGNORED = new Set(["node_modules", ".git", ".podbase"]);

/**
 * Watches `supabase/functions`, `supabase/config.toml` and the sources of the project's packages. Several changes in a
 * row are several calls. Returns the way to stop.
 */
export async function watchSources(
  projectDir: string,
  changed: (change: FunctionChange) => void,
): Promise<() => Promise<void>> {
  const functions = join(projectDir, "supabase", "functions");
  const packages = join(projectDir, "packages");
  const names = await readdir(packages).catch((error: NodeJS.ErrnoException) => {
    // A project that only uses Podbase has no packages of its own.
    if (error.code !== "ENOENT") throw error;
    return [];
  });
  const sources = names.map((name) => join(packages, name, "src"));
  const watcher = watch([functions, join(projectDir, "supabase", "config.toml"), ...sources], {
    ignoreInitial: true,
    ignored: (path) => IGNORED.has(path.split(sep).at(-1) as string),
  });
  watcher.on("all", (_event, path) => {
    const [name = "..", ...rest] = relative(functions, path).split(sep);
    const ofFunction = name !== ".." && rest.length > 0 && !/^[._]/.test(name);
    changed(ofFunction ? { kind: "function", name } : { kind: "shared" });
  });
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return () => watcher.close();
}
