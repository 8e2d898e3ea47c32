import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { isObject } from "../core/json.ts";
import type { Handler, HandlerContext } from "./handler.ts";

/** Where and with what a command runs. */
export interface CommandOptions {
  /** Added to the minimal environment. */
  env?: Record<string, string>;
  /** Default: the simulator's own. */
  cwd?: string;
}

const ERROR_TAIL_CHARS = 4000;
/** From SIGTERM to SIGKILL, in real milliseconds. */
export const KILL_AFTER_MS = 2000;

/**
 * A handler that starts `[program, ...args]` for each job. The program reads one JSON job `{ id, input }` from
 * stdin and writes one JSON result as its last line of stdout, read by the same rules as a function's return
 * value. Earlier lines and stderr go to the history; a line `{"progress": …}` with no other key is progress.
 * Another exit code than 0, a signal, or a last line that isn't JSON fails the job with the tail of stderr.
 *
 * The program gets PATH, LANG, RUNPOD_POD_ID and RUNPOD_ENDPOINT_ID besides `env`, and nothing of this process.
 * On abort its whole process group gets SIGTERM, then SIGKILL.
 */
export const command =
  (
    [program, ...args]: readonly [string, ...string[]],
    { env = {}, cwd }: CommandOptions = {},
  ): Handler<unknown> =>
  async (job, context) => {
    const child = spawn(program, args, {
      stdio: "pipe",
      // A group of its own, so that what the program starts dies with it.
      detached: true,
      env: {
        PATH: process.env.PATH ?? "",
        LANG: "C.UTF-8",
        RUNPOD_POD_ID: context.workerId,
        RUNPOD_ENDPOINT_ID: context.endpoint,
        ...env,
      },
      ...(cwd !== undefined && { cwd }),
    });
    const killRest = killOnAbort(child, context.signal);
    // What it left running may hold on to its stdout, whose end is waited for.
    child.once("exit", () => {
      if (!context.signal.aborted) killRest();
    });
    try {
      // A program may well end without reading its job: its exit code tells, not the broken pipe.
      // Whether it broke is a race between the two besides, and would make histories differ.
      child.stdin.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EPIPE") context.log(`stdin: ${error.message}`, "stderr");
      });
      child.stdin.end(`${JSON.stringify(job)}\n`);
      const [end, lastLine, errors] = await Promise.all([
        ended(child),
        readOutput(child.stdout, context),
        readErrors(child.stderr, context),
      ]);
      if (end !== "exit code 0") throw new Error(withTail(`the worker ended with ${end}`, errors));
      return parseResult(lastLine, errors);
    } finally {
      killRest();
    }
  };

const ended = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
    );
  });

/** Hands on every line but the last that isn't progress, which it returns. */
const readOutput = async (stdout: Readable, context: HandlerContext): Promise<string | undefined> => {
  let last: string | undefined;
  for await (const line of createInterface({ input: stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
    const progress = progressIn(line);
    if (progress) context.progress(progress.value);
    if (progress || line.trim() === "") continue;
    if (last !== undefined) context.log(last);
    last = line;
  }
  return last;
};

const readErrors = async (stderr: Readable, context: HandlerContext): Promise<string> => {
  let tail = "";
  for await (const line of createInterface({ input: stderr, crlfDelay: Number.POSITIVE_INFINITY })) {
    context.log(line, "stderr");
    tail = `${tail}${line}\n`.slice(-ERROR_TAIL_CHARS);
  }
  return tail;
};

const parse = (line: string): { value: unknown } | undefined => {
  try {
    return { value: JSON.parse(line) };
  } catch {
    return undefined;
  }
};

const progressIn = (line: string): { value: unknown } | undefined => {
  if (!line.startsWith("{")) return undefined;
  const value = parse(line)?.value;
  return isObject(value) && Object.keys(value).join() === "progress" ? { value: value.progress } : undefined;
};

const parseResult = (line: string | undefined, errors: string): unknown => {
  const result = line === undefined ? undefined : parse(line);
  if (result) return result.value;
  const seen = line === undefined ? "no line at all" : `the last line ${JSON.stringify(line.slice(0, 200))}`;
  throw new Error(withTail(`the worker wrote no JSON result, but ${seen}`, errors));
};

const withTail = (message: string, errors: string): string => (errors ? `${message}\n${errors}` : message);

/** Returns what to call at the end: kills what the program left running. */
const killOnAbort = (child: ChildProcess, signal: AbortSignal): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  const kill = (how: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, how);
    } catch (error) {
      // The group may have ended by itself this very moment.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  const onAbort = () => {
    kill("SIGTERM");
    timer = setTimeout(() => kill("SIGKILL"), KILL_AFTER_MS);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    kill("SIGKILL");
  };
};
