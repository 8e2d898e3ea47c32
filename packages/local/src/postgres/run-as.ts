import { execFile } from "node:child_process";
import { chown, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Which user Postgres runs as; it refuses to be root.
 * `self`: we are an ordinary user. `namespace`: root, in a user namespace that shows us as `nobody`, so that files stay
 * ours wherever they are. `nobody`: root where namespaces are forbidden, as in many containers.
 */
export type RunAs = { kind: "self" } | { kind: "namespace" } | { kind: "nobody"; uid: number; gid: number };

const NAMESPACE = ["unshare", "--user", "--map-user=65534", "--map-group=65534"] as const;

/** Finds the best way for this process. Throws for root on a system that has neither namespaces nor `nobody`. */
export async function chooseRunAs(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return { kind: "self" };
  const [command, ...args] = NAMESPACE;
  const allowed = await run(command, [...args, "true"]).then(
    () => true,
    () => false,
  );
  return allowed ? { kind: "namespace" } : nobody();
}

/** The system's `nobody`, from `/etc/passwd`. */
export async function nobody(): Promise<RunAs> {
  const line = (await readFile("/etc/passwd", "utf8"))
    .split("\n")
    .find((entry) => entry.startsWith("nobody:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined || gid === undefined) {
    throw new Error("Postgres can't run as root, user namespaces are forbidden and there is no user nobody");
  }
  // macOS writes nobody as -2.
  return { kind: "nobody", uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
}

/** The command line and ids that start `command` as that user. */
export function asUser(runAs: RunAs, command: string, args: readonly string[]) {
  if (runAs.kind === "nobody") return { command, args, uid: runAs.uid, gid: runAs.gid };
  if (runAs.kind === "self") return { command, args };
  const [wrapper, ...flags] = NAMESPACE;
  return { command: wrapper, args: [...flags, command, ...args] };
}

/** Gives a file or folder to the user Postgres runs as. */
export async function handOver(runAs: RunAs, path: string): Promise<void> {
  if (runAs.kind === "nobody") await chown(path, runAs.uid, runAs.gid);
}

/** Whether that user can reach `folder`, which exists: true unless a parent is closed to `nobody`. */
export async function canReach(runAs: RunAs, folder: string): Promise<boolean> {
  if (runAs.kind !== "nobody") return true;
  const { mode, uid } = await stat(folder);
  if ((mode & 0o001) === 0 && uid !== runAs.uid) return false;
  const parent = dirname(folder);
  return parent === folder || canReach(runAs, parent);
}
