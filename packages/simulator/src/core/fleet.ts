import type { Worker, WorkerSet } from "./worker-set.ts";
import type { Execute, WorkerJob } from "./world.ts";

/** What a worker that asks for work gets. */
export interface Taken {
  /** What it is sent: nothing when the job is lost on the way, no input when RunPod drops that. */
  sent: (Pick<WorkerJob, "id"> & Partial<WorkerJob>) | undefined;
  /** Whether it now works on a job. */
  busy: boolean;
}

/** Gives a worker the head of the queue. Undefined: nothing waits. */
export type Take = (worker: Worker) => Taken | undefined;

/** Where an endpoint's jobs are done: simulated workers, or programs that speak the worker protocol. */
export interface Fleet {
  readonly workers: WorkerSet;
  /** Does the work of a job that one of its workers took. */
  readonly execute: Execute;
  /** Whether a worker must be heard of while it holds a job, or the job counts as lost. */
  readonly heartbeat: boolean;
  /** To be called whenever the queue or the workers changed. */
  check(): void;
  /** To be called whenever the settings changed. */
  reconfigured(): void;
  /** The worker has let go of one job. */
  release(worker: Worker): void;
  /** The same, and it is to stop when it has no other. */
  retireWhenFree(worker: Worker): void;
  /** Stops a worker, whatever it does. */
  stop(worker: Worker): void;
  /** The worker's program dies and is started again by and by. */
  crash(worker: Worker): void;
}
