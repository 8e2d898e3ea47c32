import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";

/** What to start. `stdout` and `stderr` are piped to the caller or appended to an open file. */
export interface TiedCommand {
  command: string;
  args: readonly string[];
  /** The whole environment of the child; nothing of ours is added. */
  env: Record<string, string>;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** Signal the child gets when this process is gone; SIGKILL follows a second later. */
  orphanSignal: "TERM" | "INT" | "QUIT" | "KILL";
  /** File descriptor for both outputs; without it they are piped. */
  output?: number;
}

/** A child that can't outlive us. */
export interface TiedChild {
  /** Process id of the command itself, not of a wrapper. */
  pid: number;
  process: ChildProcess;
  /** Exit code, or the name of the signal that ended it. Never rejects. */
  exited: Promise<number | NodeJS.Signals>;
  /** True until the exit was seen. */
  readonly running: boolean;
  kill(signal: NodeJS.Signals): void;
  /** Sends `signal`, and SIGKILL when the child is still there after `graceMs`. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
}

// Descriptor 3 is the lifeline: a pipe whose other end only we hold. The kernel closes it however we end, SIGKILL
// included. A watcher, detached by a double fork so that the command does not inherit a child it knows nothing of,
// reads it: a line means that the command is done, end of file that we are.
const TIE = `
signal=$1; shift
me=$$
unset PWD OLDPWD SHLVL
( ( if ! read -r line <&3; then
      kill -s "$signal" "$me" && sleep 1 && kill -s KILL "$me"
    fi ) </dev/null >/dev/null 2>&1 & )
exec "$@" 3<&-
`;

/** Starts a command that ends within about two seconds of this process, however this process ends. POSIX only. */
export async function startTiedChild(options: TiedCommand): Promise<TiedChild> {
  const output = options.output ?? "pipe";
  const child = spawn(
    "/bin/sh",
    ["-c", TIE, "podbase", options.orphanSignal, options.command, ...options.args],
    {
      env: options.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
      // A session of its own: Ctrl-C in the terminal is ours to handle, in order.
      detached: true,
      stdio: ["ignore", output, output, "pipe"],
    },
  );
  const lifeline = child.stdio[3] as Writable;
  // The watcher may be gone before the farewell is written.
  lifeline.on("error", () => {});
  let running = true;
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("exit", (code, signal) => {
      running = false;
      lifeline.end("done\n");
      resolve(signal ?? code ?? 0);
    });
  });
  await once(child, "spawn");
  (lifeline as Writable & { unref?: () => void }).unref?.();

  const kill = (signal: NodeJS.Signals) => {
    if (running) child.kill(signal);
  };
  return {
    pid: child.pid as number,
    process: child,
    exited,
    get running() {
      return running;
    },
    kill,
    async stop(signal, graceMs) {
      kill(signal);
      const timer = setTimeout(() => kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
