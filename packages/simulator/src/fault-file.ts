import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Fault } from "./core/fault.ts";
import type { Json } from "./core/json.ts";

const ms = z.number().min(0);
const span = z.union([
  ms,
  z.tuple([z.int().min(0), z.int().min(0)]).refine(([from, to]) => from <= to, "a range goes upwards"),
]);

const scope = {
  endpoint: z.string().exactOptional(),
  input: z.json().exactOptional(),
  window: z
    .strictObject({
      fromMs: ms.exactOptional(),
      forMs: z.number().positive(),
      everyMs: z.number().positive().exactOptional(),
    })
    .exactOptional(),
  chance: z.number().min(0).max(1).exactOptional(),
  skip: z.int().min(0).exactOptional(),
  times: z.int().min(0).exactOptional(),
};

const fault = <Name extends Fault["fault"], Shape extends z.ZodRawShape>(name: Name, shape: Shape) =>
  z.strictObject({ fault: z.literal(name), ...scope, ...shape });

const areHeaders = (headers: Record<string, string>): boolean => {
  try {
    return Boolean(new Headers(headers));
  } catch {
    return false;
  }
};

const operation = z.string().exactOptional();
const applied = z.boolean().exactOptional();

const schema = z.array(
  z.discriminatedUnion("fault", [
    fault("webhook_drop", {}),
    fault("webhook_duplicate", { afterMs: ms.exactOptional() }),
    fault("webhook_delay", { delayMs: span }),
    fault("webhook_reorder", { afterMs: ms.exactOptional() }),
    fault("run_unanswered", {}),
    fault("run_reset", {}),
    fault("reset", { operation, applied }),
    fault("answer", {
      operation,
      applied,
      status: z.int().min(200).max(599),
      body: z.json().exactOptional(),
      headers: z.record(z.string(), z.string()).refine(areHeaders, "not HTTP headers").exactOptional(),
    }),
    fault("slow_answer", { operation, delayMs: span }),
    fault("job_forget", { afterMs: ms.exactOptional() }),
    fault("job_lose", {}),
    fault("status_regress", { afterMs: ms.exactOptional(), forMs: ms.exactOptional() }),
    fault("other_state", { state: z.string().exactOptional(), instead: z.string().exactOptional() }),
    fault("progress_delay", { delayMs: span }),
    fault("clock_skew", { skewMs: z.number() }),
    fault("worker_throttle", { forMs: span.exactOptional() }),
    fault("slow_worker", { delayMs: span }),
    fault("slow_job", { delayMs: span }),
    fault("slow_everything", { delayMs: span }),
    fault("worker_crash", { afterMs: span.exactOptional() }),
    fault("worker_crash_loop", {}),
  ]),
);

/** Faults as a file holds them: a JSON list. Throws an Error that names the file, the fault and what is wrong. */
export const readFaultFile = (path: string): Fault[] => {
  let faults: Json;
  try {
    faults = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
  const { data, error } = schema.safeParse(faults);
  if (error) {
    const issues = error.issues.map(({ path: at, message }) => `${place(at)}: ${message}`);
    throw new Error(`${path}: ${issues.join("; ")}`);
  }
  return data;
};

const place = ([index, ...rest]: PropertyKey[]): string =>
  index === undefined ? "the file" : [`fault ${Number(index) + 1}`, ...rest.map(String)].join(" ");
