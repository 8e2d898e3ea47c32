import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { commandOf, identityOf } from "../processes/process-identity.ts";

/**
 * Ends a server that still runs on `cluster` although its owner is gone, and removes a `postmaster.pid` whose number
 * now belongs to another process. Call it only while holding the folder's lock.
 */
export async function endOrphan(cluster: string): Promise<void> {
  const file = join(cluster, "postmaster.pid");
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const pid = Number.parseInt(text, 10);
  if (!(pid > 0)) return;
  const identity = await identityOf(pid);
  if (identity === undefined) return;
  if (!(await commandOf(pid))?.includes(cluster)) {
    // Postgres would take the stranger for a live server and refuse to start.
    await rm(file);
    return;
  }
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return;
      throw error;
    }
    for (let waited = 0; waited < 5000; waited += 20) {
      if ((await identityOf(pid)) !== identity) return;
      await delay(20);
    }
  }
  throw new Error(`a Postgres of an earlier run (process ${pid}) does not end`);
}
