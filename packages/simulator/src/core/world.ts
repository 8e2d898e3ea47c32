import type { Clock } from "../time/clock.ts";
import type { Faults } from "./faults.ts";
import type { History } from "./history.ts";
import type { Job } from "./job.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Random } from "./random.ts";
import type { PlatformSettings } from "./settings.ts";

/** Where jobs are kept across a restart of the process. Called on every change, before anyone hears of it. */
export interface JobStore {
  save(job: Job): void;
  remove(job: Job): void;
}

/** What a worker is given. */
export interface WorkerJob {
  readonly id: string;
  readonly input: Json;
  readonly s3Config?: JsonObject;
}

/** What a worker reports at the end, as RunPod's worker library posts it. */
export interface Outcome {
  /** Absent: no output. */
  output?: Json;
  /** Present: the job FAILED. */
  error?: string;
  /** The worker asks to be stopped (`refresh_worker`). */
  stopWorker?: boolean;
}

/** One run of one job on one worker, as whoever does the work sees it. */
export interface Assignment {
  readonly job: WorkerJob;
  /** Sent to /runsync: the result may be larger. */
  readonly sync: boolean;
  readonly endpoint: string;
  readonly workerId: string;
  /** Aborted when the job is cancelled, too slow, or gone. */
  readonly signal: AbortSignal;
  progress(output: Json): void;
  /** One thing that a generator yielded. */
  chunk(output: Json): void;
  log(stream: "stdout" | "stderr", line: string): void;
  /**
   * The work is over and the worker free. To be called once. Without an outcome when it stopped on the abort;
   * an outcome is ignored when the job is no longer this run's.
   */
  done(outcome: Outcome | undefined): void;
}

/** Does the work of an endpoint's workers. Must call `done` in the end, also after an abort. */
export type Execute = (assignment: Assignment) => void;

/** POSTs a webhook and gives the receiver's status code; rejects when there was no answer. */
export type Post = (
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
) => Promise<number>;

/** What the parts of the core share. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly history: History;
  readonly faults: Faults;
  readonly settings: PlatformSettings;
  readonly store: JobStore;
  readonly post: Post;
}
