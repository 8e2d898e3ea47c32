import type { Claim, Report } from "@podbase/core";

/** RunPod keeps the result of an asynchronous job for 30 minutes (docs.runpod.io/serverless/endpoints/send-requests). */
const RETENTION_MS = 30 * 60_000;

/** A job at RunPod. It exists once a POST has arrived, whether or not its answer did. */
export interface RunPodJob {
  id: string;
  claim: Claim;
  createdAt: number;
  status: "IN_QUEUE" | "IN_PROGRESS" | "COMPLETED" | "FAILED" | "TIMED_OUT" | "CANCELLED";
  endedAt: number | null;
  /** The worker asked Podbase and was told to go on. */
  proceeded: boolean;
  /** The worker was told to stop, and did. */
  stopped: boolean;
  /** The handler ran, wholly or in part: the work is paid. */
  worked: boolean;
  output?: unknown;
  error?: string;
  /** The engine's check of the output against its schema fails. */
  invalid: boolean;
}

/** What the work of a job makes: its name, and a list for maps to go over. */
export const outputOf = (job: RunPodJob) => ({ by: job.id, list: ["x", "y"] });

/** How a worker's handler ends. */
export type Ending =
  | { how: "completed"; invalid: boolean }
  | { how: "failed"; error: string }
  | { how: "timed_out" };

/** The part of RunPod that the engine sees: jobs, their states, what is forgotten when. */
export class RunPodModel {
  readonly jobs: RunPodJob[] = [];

  /** A POST arrives. */
  run(claim: Claim, now: number): RunPodJob {
    const job: RunPodJob = {
      id: `rp-${this.jobs.length}-u1`,
      claim,
      createdAt: now,
      status: "IN_QUEUE",
      endedAt: null,
      proceeded: false,
      stopped: false,
      worked: false,
      invalid: false,
    };
    this.jobs.push(job);
    return job;
  }

  /** Whether RunPod still knows a job: the ttl removes what has not ended, the retention what has. */
  knows(job: RunPodJob, now: number): boolean {
    return job.endedAt === null
      ? now < job.createdAt + job.claim.endpoint.ttlMs
      : now < job.endedAt + RETENTION_MS;
  }

  /** Jobs in one of these states that RunPod still knows. */
  in(now: number, ...states: RunPodJob["status"][]): RunPodJob[] {
    return this.jobs.filter((job) => states.includes(job.status) && this.knows(job, now));
  }

  byId(id: string): RunPodJob {
    const job = this.jobs.find((each) => each.id === id);
    if (!job) throw new Error(`the engine named a RunPod job that never was: ${id}`);
    return job;
  }

  ofAttempt(attempt: string): RunPodJob | undefined {
    return this.jobs.find((job) => job.claim.attempt === attempt);
  }

  /** The handler begins to work. */
  start(job: RunPodJob): void {
    job.status = "IN_PROGRESS";
  }

  end(job: RunPodJob, ending: Ending, now: number): void {
    job.endedAt = now;
    if (ending.how === "completed") {
      job.status = "COMPLETED";
      job.invalid = ending.invalid;
      job.output = outputOf(job);
    } else if (ending.how === "failed") {
      job.status = "FAILED";
      job.error = ending.error;
    } else {
      job.status = "TIMED_OUT";
    }
  }

  /** The worker was told to stop: it returns without work (packages/worker/README.md). */
  stop(job: RunPodJob, now: number): void {
    job.status = "COMPLETED";
    job.stopped = true;
    job.endedAt = now;
    job.output = { podbase: { stopped: true } };
  }

  cancel(job: RunPodJob, now: number): void {
    if (job.endedAt !== null || !this.knows(job, now)) return;
    job.status = "CANCELLED";
    job.endedAt = now;
  }

  /** What `/status` or the webhook says about a job, as the engine's TypeScript half hands it to `record_report`. */
  reportOf(job: RunPodJob, now: number, source: "poll" | "webhook"): Report {
    const about = { attempt: job.claim.attempt, source, kind: job.claim.kind, task: job.claim.task } as const;
    if (!this.knows(job, now)) return { ...about, status: "NOT_FOUND" };
    return {
      ...about,
      ...(source === "webhook" ? { token: job.claim.token } : {}),
      status: job.status,
      providerId: job.id,
      ...(job.output === undefined ? {} : { output: job.output }),
      ...(job.error === undefined ? {} : { error: job.error }),
      ...(job.invalid ? { class: "invalid_output" as const, error: "the output does not fit" } : {}),
    };
  }
}
