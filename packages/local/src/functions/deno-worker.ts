import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startTiedChild, type TiedChild } from "../processes/tied-child.ts";
import { randomText } from "../random.ts";
import { findDeno } from "./deno-binary.ts";
import type { FunctionConfig } from "./function-config.ts";

const SERVE = fileURLToPath(new URL("./deno/serve.ts", import.meta.url));
const BOOT_TIMEOUT_MS = 60_000;

/** The process of one function, ready to answer. */
export interface DenoWorker {
  port: number;
  /** To be sent as `x-podbase-token`: other users of the machine can reach the port too. */
  token: string;
  child: TiedChild;
}

/** A function that did not come up. */
export class BootError extends Error {
  constructor(name: string, cause: string) {
    super(`function ${name} did not start: ${cause}`);
    this.name = "BootError";
  }
}

/**
 * Starts Deno on one function and waits until it listens. Packages come from the project's `node_modules`, so nothing is
 * downloaded. `log` gets what the function prints, line by line. Throws BootError.
 */
export async function startDenoWorker(
  config: FunctionConfig,
  env: Record<string, string>,
  log: (line: string) => void,
): Promise<DenoWorker> {
  const token = randomText(40);
  const permissions = [
    "--allow-net",
    "--allow-env",
    "--allow-read",
    "--allow-write=/tmp",
    "--allow-sys",
    "--no-prompt",
  ];
  const child = await startTiedChild({
    command: findDeno(),
    args: [
      ["run", "--quiet", "--no-lock", "--node-modules-dir=manual", ...config.configFlags],
      permissions,
      [SERVE, pathToFileURL(config.entrypoint).href],
    ].flat(),
    env: { ...env, PODBASE_TOKEN: token },
    cwd: dirname(config.entrypoint),
    orphanSignal: "KILL",
  });
  const { stdout, stderr } = child.process;
  let listening = (_port: number) => {};
  const ready = new Promise<number>((resolve) => {
    listening = resolve;
  });
  forEachLine(stderr, log);
  forEachLine(stdout, (line) => {
    const port = /^PODBASE_READY (\d+)$/.exec(line)?.[1];
    if (port === undefined) log(line);
    else listening(Number(port));
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), BOOT_TIMEOUT_MS);
  const port = await Promise.race([ready, child.exited.then((code) => `it ended with ${code}`)]);
  clearTimeout(timer);
  if (typeof port === "string") throw new BootError(config.name, port);
  return { port, token, child };
}

function forEachLine(stream: Readable | null, take: (line: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream }).on("line", (line) => {
    if (line !== "") take(line);
  });
}
