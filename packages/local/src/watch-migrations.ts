import { join } from "node:path";
import { watch } from "chokidar";

/**
 * Calls `changed` after each edit of the SQL files in `supabase/migrations`, once the file has stopped growing. Several
 * edits in a row are several calls. Returns the way to stop.
 */
export async function watchMigrations(projectDir: string, changed: () => void): Promise<() => Promise<void>> {
  const watcher = watch(join(projectDir, "supabase", "migrations"), {
    ignoreInitial: true,
    depth: 0,
    awaitWriteFinish: { stabilityThreshold: 100, pollInterval: 20 },
  });
  watcher.on("all", (_event, path) => {
    if (path.endsWith(".sql")) changed();
  });
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return () => watcher.close();
}
