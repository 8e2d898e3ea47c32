import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { identityOf } from "./process-identity.ts";

/** The folder is in use by a live process. */
export class FolderInUseError extends Error {
  readonly folder: string;
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}`);
    this.name = "FolderInUseError";
    this.folder = folder;
    this.pid = pid;
  }
}

const PREFIX = "owner.";

async function generations(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name.startsWith(PREFIX) && /^\d+$/.test(name.slice(PREFIX.length)))
    .map((name) => Number(name.slice(PREFIX.length)))
    .sort((a, b) => b - a);
}

async function isAlive(identity: string): Promise<boolean> {
  return (await identityOf(Number.parseInt(identity, 10))) === identity;
}

/**
 * Makes this process the only owner of `folder` (created if need be) until the returned function is called or the
 * process ends. Throws FolderInUseError while another owner lives; a dead owner's claim is passed over.
 *
 * Claims are files `owner.1`, `owner.2`, … and the highest counts. A new owner only ever adds the number above a dead
 * one, by an exclusive link, so two processes that see the same dead owner can't both win.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const identity = await identityOf(process.pid);
  if (identity === undefined) throw new Error("can't read the start time of this process");
  const draft = join(folder, `claim.${process.pid}.${crypto.randomUUID()}`);
  await writeFile(draft, identity);
  try {
    for (;;) {
      const [highest = 0] = await generations(folder);
      const holder = highest === 0 ? undefined : await readIfThere(join(folder, `${PREFIX}${highest}`));
      if (holder !== undefined && (await isAlive(holder))) {
        throw new FolderInUseError(folder, Number.parseInt(holder, 10));
      }
      const mine = join(folder, `${PREFIX}${highest + 1}`);
      if (!(await linkNew(draft, mine))) continue;
      const [top, ...lower] = await generations(folder);
      if (top !== highest + 1) {
        // A claim above ours appeared while we looked: the folder we judged was an old one.
        await rm(mine, { force: true });
        continue;
      }
      await Promise.all(lower.map((number) => rm(join(folder, `${PREFIX}${number}`), { force: true })));
      return () => rm(mine, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

async function linkNew(existing: string, target: string): Promise<boolean> {
  try {
    await link(existing, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
