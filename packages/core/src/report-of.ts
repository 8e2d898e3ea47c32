import type { ProviderJob, Report } from "./contracts.ts";
import type { ProviderStatus } from "./states.ts";
import { storableText, unstorable } from "./storable.ts";

/** What a RunPod job object says, as a report. Its `error` may be text, JSON in text, or an object. */
export function reportOf(job: ProviderJob): Omit<Report, "attempt" | "source"> {
  return {
    status: storableText(job.status) as ProviderStatus,
    ...(job.id === undefined ? {} : { providerId: storableText(job.id) }),
    ...(job.status === "COMPLETED" ? { output: job.output ?? {} } : {}),
    ...(job.error === undefined || job.error === null ? {} : { error: errorText(job.error) }),
    ...(job.delayTime === undefined ? {} : { delayTime: wholeMs(job.delayTime) }),
    ...(job.executionTime === undefined ? {} : { executionTime: wholeMs(job.executionTime) }),
    ...(job.workerId === undefined ? {} : { workerId: storableText(job.workerId) }),
  };
}

function errorText(error: unknown): string {
  if (typeof error === "string") return storableText(error);
  const wrong = unstorable(error);
  return wrong ? `an error that can't be shown: ${wrong.message}` : JSON.stringify(error);
}

/** Milliseconds as a bigint of the database. */
const wholeMs = (ms: number): number => Math.min(Math.max(0, Math.round(ms)), Number.MAX_SAFE_INTEGER);
