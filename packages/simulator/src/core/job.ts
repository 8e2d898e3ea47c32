import { type Json, type JsonObject, sorted } from "./json.ts";

/** The job states of the public API (RunPod docs, serverless/endpoints/job-states). */
export type JobState = "IN_QUEUE" | "IN_PROGRESS" | "COMPLETED" | "FAILED" | "CANCELLED" | "TIMED_OUT";

/** A webhook that is due: attempts made, and when the next may begin. */
export interface DueWebhook {
  attempts: number;
  dueAt: number;
  /** The end that it tells of, when the job was queued again before it was through. */
  told?: JsonObject;
}

/** Everything RunPod would know of a job. Plain JSON, so that it can be kept on disk. Times are the clock's. */
export interface Job {
  readonly id: string;
  readonly endpoint: string;
  /** Sent to /runsync: kept for a shorter time, may carry more. */
  readonly sync: boolean;
  readonly input: Json;
  readonly webhook?: string;
  readonly s3Config?: JsonObject;
  readonly lowPriority: boolean;
  readonly executionTimeoutMs: number;
  readonly submittedAt: number;
  /** End of its time to live, whatever its state. */
  expiresAt: number;
  state: JobState;
  /** When it last entered the queue. */
  queuedAt: number;
  /** Its place in the queue: lower is nearer to the front. */
  place: number;
  /** What `delayTime` counts from: submission or the last /retry, not a re-dispatch. */
  delayFrom: number;
  /** How often a worker took it. A report of an earlier run counts for nothing. */
  run: number;
  /** How often the platform re-dispatched it. */
  retries: number;
  startedAt?: number;
  finishedAt?: number;
  workerId?: string;
  /** The last progress while IN_PROGRESS, the result after. Absent: none. */
  output?: Json;
  error?: string;
  /** What its handler yielded and /stream has not handed out yet. */
  chunks?: Json[];
  /** What /status tells for a while in place of the truth. Not for long enough to be worth keeping. */
  shown?: { state: string; output: Json | undefined };
  /** Its webhooks that are due. */
  deliveries?: DueWebhook[];
}

/** The fields of a job that hold a time. */
export const JOB_TIMES = [
  "submittedAt",
  "expiresAt",
  "queuedAt",
  "delayFrom",
  "startedAt",
  "finishedAt",
] as const satisfies readonly (keyof Job)[];

/** No further change but removal, /retry aside. */
export const isFinished = (job: Job): boolean => job.state !== "IN_QUEUE" && job.state !== "IN_PROGRESS";

const shared = (job: Job) => ({
  delayTime: job.startedAt === undefined ? undefined : job.startedAt - job.delayFrom,
  error: job.error,
  executionTime:
    job.startedAt === undefined || job.finishedAt === undefined ? undefined : job.finishedAt - job.startedAt,
  id: job.id,
  output: job.output,
  retries: job.retries || undefined,
  status: job.state,
});

/** The state as callers see it. */
export const stateOf = (job: Job): string => job.shown?.state ?? job.state;

/** The job as GET /status tells it (runpod/runpod-plugins-official, golden path 15). */
export const statusOf = (job: Job): JsonObject => {
  const { shown, workerId } = job;
  if (!shown) return sorted({ ...shared(job), workerId });
  const { executionTime: _, error: __, ...told } = shared(job);
  return sorted({ ...told, workerId, status: shown.state, output: shown.output });
};

/** The job as its webhook tells it: no worker, but input and webhook (same repository, golden path 16). */
export const webhookBodyOf = (
  job: Job,
  { told = sorted(shared(job)) }: Partial<DueWebhook> = {},
): JsonObject => sorted({ ...told, input: job.input, webhook: job.webhook });

/** To be called before the job is queued again: what is still due tells of the end that was. */
export const keepWhatIsTold = (job: Job): void => {
  for (const due of job.deliveries ?? []) due.told ??= sorted(shared(job));
};
