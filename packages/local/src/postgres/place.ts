import { createHash } from "node:crypto";
import { lstat, mkdir, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canReach, handOver, type RunAs } from "./run-as.ts";

/**
 * Where the cluster of `dataDir` lives: in it, unless the server runs as `nobody` and a parent folder (say `/root`) is
 * closed to that user. Then a folder of the same name for the same `dataDir` in the system's temporary folder.
 */
export async function placeFor(runAs: RunAs, dataDir: string): Promise<string> {
  const real = await realpath(dataDir);
  if (runAs.kind !== "nobody" || (await canReach(runAs, real))) return real;
  const home = join(
    tmpdir(),
    `podbase-cluster-${createHash("sha256").update(real).digest("hex").slice(0, 16)}`,
  );
  await mkdir(home, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const found = await lstat(home);
  if (!found.isDirectory() || ![0, runAs.uid].includes(found.uid) || (found.mode & 0o077) !== 0) {
    throw new Error(`${home} belongs to someone else; remove it or set TMPDIR`);
  }
  await handOver(runAs, home);
  return home;
}
