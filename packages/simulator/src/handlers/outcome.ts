import { isObject, isTooDeep, type Json } from "../core/json.ts";
import type { Outcome } from "../core/world.ts";

/** The release of runpod-python whose result rules are followed. */
const WORKER_VERSION = "1.12.0";

/** A deep copy as JSON has it; `undefined` becomes null. Throws a TypeError on what JSON can't hold. */
export const toJson = (value: unknown): Json => {
  const text = JSON.stringify(value);
  const copy = text === undefined ? null : JSON.parse(text);
  if (isTooDeep(copy)) throw new TypeError("nested too deep");
  return copy;
};

const isTruthy = (value: Json | undefined) =>
  Array.isArray(value) ? value.length > 0 : isObject(value) ? Object.keys(value).length > 0 : Boolean(value);

/**
 * What a worker reports when its handler returned `value` (runpod/runpod-python,
 * runpod/serverless/modules/rp_job.py, run_job). Throws a TypeError on what JSON can't hold.
 */
export const outcomeOf = (value: unknown): Outcome => {
  const output = toJson(value);
  if (!isObject(output)) return { output };
  const { error, refresh_worker, ...rest } = output as { [key: string]: Json };
  return {
    ...(Object.keys(rest).length > 0 && { output: rest }),
    ...(isTruthy(error) && { error: typeof error === "string" ? error : JSON.stringify(error) }),
    ...(isTruthy(refresh_worker) && { stopWorker: true }),
  };
};

/** Without Node's own frames: whether they are there depends on how fast the work was, and histories would differ. */
const traceOf = ({ stack = "" }: Error): string =>
  stack
    .split("\n")
    .filter((line) => !/^\s+at .*\(node:internal\//.test(line))
    .join("\n");

/** What a worker reports when its handler threw: a JSON text in a string, stack trace and all (same source). */
export const failureOf = (thrown: unknown, workerId: string): Outcome => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    error: JSON.stringify({
      error_type: `<class '${error.name}'>`,
      error_message: error.message,
      error_traceback: traceOf(error),
      hostname: workerId,
      worker_id: workerId,
      runpod_version: WORKER_VERSION,
    }),
  };
};

/** What a worker reports when its generator threw: a plain text (same source, run_job_generator). */
export const generatorFailureOf = (thrown: unknown): Outcome => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { error: `handler: ${error.message} \ntraceback: ${traceOf(error)}` };
};

/** The error that a generator may yield in place of a chunk; it ends the job. */
export const errorIn = (chunk: Json): string | undefined => {
  if (!isObject(chunk) || !isTruthy(chunk.error as Json | undefined)) return undefined;
  return typeof chunk.error === "string" ? chunk.error : JSON.stringify(chunk.error);
};
