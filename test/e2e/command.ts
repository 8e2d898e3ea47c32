import { type SpawnOptions, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "./harness.ts";

/** `podbase` as a person runs it: the process, its lines so far, and its exit code once it has ended and all its lines are there. */
export function podbase(args: string[], options: Pick<SpawnOptions, "cwd" | "detached"> = {}) {
  const child = spawn(join(ROOT, "node_modules/.bin/podbase"), args, {
    cwd: ROOT,
    ...options,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout: string[] = [];
  const stderr: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => stdout.push(line));
  createInterface({ input: child.stderr }).on("line", (line) => stderr.push(line));
  const exited = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, stdout, stderr, exited };
}
