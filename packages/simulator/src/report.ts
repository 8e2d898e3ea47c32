import type { Endpoint } from "./core/endpoint.ts";
import type { JobState } from "./core/job.ts";
import type { WorkerState } from "./core/worker-set.ts";

/** An endpoint as it stands, for tests and people. */
export interface EndpointReport {
  id: string;
  /** Ids, next first. */
  queue: string[];
  /** A worker that is about to pick up a job counts as idle. */
  workers: { id: string; state: Exclude<WorkerState, "taking"> }[];
  /** Every job that is still known, oldest first. `runs`: how often a worker took it. */
  jobs: { id: string; state: JobState; runs: number; retries: number; workerId?: string }[];
}

/** Tells how an endpoint stands. */
export const reportOf = (endpoint: Endpoint): EndpointReport => {
  const jobs = endpoint.jobs().map(({ id, state, run, retries, workerId }) => ({
    id,
    state,
    runs: run,
    retries,
    ...(workerId !== undefined && { workerId }),
  }));
  return {
    id: endpoint.id,
    queue: endpoint.queue(),
    workers: endpoint.fleet.workers
      .all()
      .map(({ id, state }) => ({ id, state: state === "taking" ? "idle" : state })),
    jobs,
  };
};
