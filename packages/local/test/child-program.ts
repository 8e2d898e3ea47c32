import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A TypeScript program of `test/programs` in a process of its own, and the first line of JSON it printed. */
export async function startProgram<T>(
  name: string,
  ...args: string[]
): Promise<{ child: ChildProcess; said: T }> {
  const file = fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) return { child, said: JSON.parse(line) as T };
  }
  throw new Error(`${name} ended before it said anything`);
}
