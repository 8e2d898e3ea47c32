/** The worker's side of Podbase's worker contract: wraps a handler, so that it only has to do its work. */
import { z } from "zod";
import { createCallback } from "./callback.ts";
import { defaultHttp, type HttpSettings } from "./http.ts";
import { type Job, parseJob } from "./job.ts";
import { createProgressReporter, StoppedError } from "./progress.ts";
import { createUploader } from "./upload.ts";

/** What a handler is given besides its input. */
export type HandlerTools = {
  /** When the job was made, or else the present: take this for "now", so that the same job gives the same result. */
  now: Date;
  /**
   * Tells how far the work is (0 to 1). Cheap to call often. Throws a StoppedError, to be let through, if Podbase
   * no longer wants the attempt.
   */
  progress(fraction: number, message?: string): Promise<void>;
  /** Stores a declared artifact. Throws if it cannot be stored. */
  upload(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
};

/** Does the work of one task: from the task's input (without `podbase`) to the task's output. */
export type Handler = (
  input: Record<string, unknown>,
  tools: HandlerTools,
) => Promise<Record<string, unknown>>;

/** Settings for `runHandler`, all optional. */
export type RunSettings = Partial<HttpSettings> & {
  /** The clock for jobs without `createdAt`. */
  clock?: () => Date;
  /** Takes lines for the worker's log; stderr unless told otherwise. Never gets a token. */
  log?: (line: string) => void;
};

/**
 * Runs a handler on a job as RunPod hands it over and returns what RunPod is to get: the output with
 * `podbase.artifacts`, `{ podbase: { stopped: true } }` if Podbase no longer wants the attempt, or `{ error }`.
 * Never rejects. Nothing goes on in the background afterwards.
 */
export async function runHandler(
  value: unknown,
  handler: Handler,
  settings: RunSettings = {},
): Promise<Record<string, unknown>> {
  const log = settings.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  try {
    return await workOn(parseJob(value), handler, settings, log);
  } catch (error) {
    if (error instanceof StoppedError) return { podbase: { stopped: true } };
    log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return { error: shortMessage(error) };
  }
}

async function workOn(
  job: Job,
  handler: Handler,
  settings: RunSettings,
  log: (line: string) => void,
): Promise<Record<string, unknown>> {
  const http = { ...defaultHttp, ...settings };
  const callback = createCallback(job, http, log);
  const start = await callback.start();
  if (!start.proceed) throw new StoppedError();

  const reporter = createProgressReporter(callback);
  const uploader = createUploader({ ...job.uploads, ...start.uploads }, callback, http);
  const output = await handler(job.input, {
    now: job.createdAt ?? settings.clock?.() ?? new Date(),
    progress: reporter.report,
    upload: uploader.upload,
  });
  await reporter.flush();
  return { ...output, podbase: { artifacts: uploader.artifacts } };
}

/** The longest error message that is passed on, in characters. */
const LONGEST_MESSAGE = 300;

/** One line for the person who asked: what was wrong, without a trace. */
export function shortMessage(error: unknown): string {
  if (error instanceof z.ZodError) {
    const issues = error.issues.map((issue) => `${issue.path.join(".") || "job"}: ${issue.message}`);
    return cut(`invalid input: ${issues.join("; ")}`);
  }
  return cut(error instanceof Error ? error.message : String(error));
}

function cut(message: string): string {
  const line = message.split("\n", 1)[0] as string;
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE - 1)}…` : line || "unknown error";
}
