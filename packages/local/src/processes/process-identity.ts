import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * A text that names one process for good: its id alone is reused, so the time it started (and, on Linux, the boot)
 * goes with it. Undefined when there is no such process or it is a zombie.
 */
export async function identityOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    if (stat === undefined) return undefined;
    // Field 2 is the command in parentheses and may hold spaces; the state is field 3, the start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    return `${pid} ${fields[19]} ${boot.trim()}`;
  }
  const shown = await ps(pid, "stat=,lstart=");
  return shown === undefined || shown.startsWith("Z") ? undefined : `${pid} ${shown.replace(/^\S+\s+/, "")}`;
}

/** The command line of a process, or undefined when it does not run. */
export async function commandOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") return ps(pid, "command=");
  const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => undefined);
  return line === undefined || line === "" ? undefined : line.replaceAll("\0", " ").trim();
}

async function ps(pid: number, columns: string): Promise<string | undefined> {
  const result = await run("ps", ["-o", columns, "-p", String(pid)], {
    env: { ...process.env, LC_ALL: "C" },
  }).catch(() => undefined);
  return result?.stdout.trim() || undefined;
}
