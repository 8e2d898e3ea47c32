import type { ProviderJob, Report } from "./contracts.ts";
import { withoutSecrets } from "./redact.ts";
import type { ProviderStatus } from "./states.ts";
import { storableText, unstorable } from "./storable.ts";

/** What a RunPod job object says, as a report. Its `error` may be text, JSON in text, or an object. */
export function reportOf(job: ProviderJob): Omit<Report, "attempt" | "source"> {
  return {
    status: storableText(job.status) as ProviderStatus,
    ...(isAbsent(job.id) ? {} : { providerId: storableText(job.id) }),
    ...(job.status === "COMPLETED" ? { output: job.output ?? {} } : {}),
    ...(isAbsent(job.error) ? {} : { error: errorText(job.error) }),
    ...(isAbsent(job.delayTime) ? {} : { delayTime: wholeMs(job.delayTime) }),
    ...(isAbsent(job.executionTime) ? {} : { executionTime: wholeMs(job.executionTime) }),
    ...(isAbsent(job.workerId) ? {} : { workerId: storableText(job.workerId) }),
  };
}

/** Every report is kept for a week, and nobody reads more of an error; characters. */
const LONGEST_ERROR = 10_000;

/** What was said of an error, as it is kept: cut, and without secrets or what can't be stored. */
export function errorText(error: unknown): string {
  if (typeof error === "string") return storableText(withoutSecrets(error.slice(0, LONGEST_ERROR)));
  const wrong = unstorable(error);
  if (wrong) return `an error that can't be shown: ${wrong.message}`;
  return storableText(withoutSecrets(JSON.stringify(error).slice(0, LONGEST_ERROR)));
}

/** RunPod writes null for what it does not know yet. */
const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

/** Milliseconds as a bigint of the database. */
const wholeMs = (ms: number): number => Math.min(Math.max(0, Math.round(ms)), Number.MAX_SAFE_INTEGER);
