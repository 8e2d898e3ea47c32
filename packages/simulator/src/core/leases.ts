import type { Timer } from "../time/clock.ts";
import type { Job } from "./job.ts";
import type { Json } from "./json.ts";
import type { Random } from "./random.ts";
import type { EndpointSettings } from "./settings.ts";
import type { Worker, WorkerPool } from "./worker-pool.ts";
import type { Assignment, Execute, Outcome, World } from "./world.ts";

/** What becomes of a job that a worker holds. */
export interface LeaseEvents {
  /** Its progress changed. */
  changed(job: Job): void;
  finished(job: Job, outcome: Outcome): void;
  /** It ran past its execution timeout. */
  tooLong(job: Job): void;
  /** Its worker never said a word. */
  silent(job: Job): void;
}

interface Lease {
  job: Job;
  run: number;
  abort: AbortController;
  /** The worker that is busy with it; gone once that one is free or stopped. */
  worker: Worker | undefined;
  /** Execution timeout, silence, or after an abort the grace. */
  timer?: Timer;
}

/**
 * Who works on what. A lease ends with its job's run; its worker may be busy for longer, when a handler doesn't
 * heed the abort, and only the lease's own run can report.
 */
export class Leases {
  readonly #current = new Map<string, Lease>();
  readonly #world: World;
  readonly #settings: EndpointSettings;
  readonly #pool: WorkerPool;
  readonly #execute: Execute;
  readonly #events: LeaseEvents;
  readonly #random: Random;

  constructor(
    world: World,
    settings: EndpointSettings,
    pool: WorkerPool,
    execute: Execute,
    events: LeaseEvents,
    random: Random,
  ) {
    this.#world = world;
    this.#settings = settings;
    this.#pool = pool;
    this.#execute = execute;
    this.#events = events;
    this.#random = random;
  }

  /** Jobs in progress. */
  get size(): number {
    return this.#current.size;
  }

  /** The worker begins to work on the job. */
  open(job: Job, worker: Worker): void {
    const lease = this.#add(job, worker);
    const limitMs = job.executionTimeoutMs + this.#random.within(this.#settings.timeoutLatenessMs);
    lease.timer = this.#world.clock.after(limitMs, () => {
      this.#events.tooLong(job);
      // RunPod stops the worker too (docs, endpoint configurations: execution timeout).
      this.#stopWorker(lease);
    });
    this.#execute(this.#assignment(lease, worker));
  }

  /** A worker took the job but will never report. */
  openSilent(job: Job): void {
    const lease = this.#add(job, undefined);
    const silenceMs = this.#random.within(this.#settings.lossMs);
    lease.timer = this.#world.clock.after(silenceMs, () => this.#events.silent(job));
  }

  /** The run is over, or the job gone: what its worker says from now on counts for nothing. */
  close(job: Job): void {
    const lease = this.#current.get(job.id);
    if (!lease) return;
    this.#current.delete(job.id);
    lease.timer?.cancel();
    lease.abort.abort();
    lease.timer = this.#world.clock.after(this.#settings.stopGraceMs, () => this.#stopWorker(lease));
  }

  /** Tells all handlers to stop. Their jobs stay as they are. */
  abortAll(): void {
    for (const lease of this.#current.values()) lease.abort.abort();
  }

  #add(job: Job, worker: Worker | undefined): Lease {
    const lease: Lease = { job, run: job.run, abort: new AbortController(), worker };
    this.#current.set(job.id, lease);
    return lease;
  }

  #assignment(lease: Lease, worker: Worker): Assignment {
    const { job } = lease;
    const { history } = this.#world;
    const where = { endpoint: job.endpoint, job: job.id, worker: worker.id };
    return {
      job: { id: job.id, input: job.input, ...(job.s3Config && { s3Config: job.s3Config }) },
      endpoint: job.endpoint,
      workerId: worker.id,
      signal: lease.abort.signal,
      progress: (output) => this.#progress(lease, output, where),
      log: (stream, line) => history.add({ type: "log", ...where, stream, line }),
      done: (outcome) => this.#done(lease, outcome),
    };
  }

  #progress(lease: Lease, output: Json, where: { endpoint: string; job: string; worker: string }): void {
    if (this.#current.get(lease.job.id) !== lease) return;
    lease.job.output = output;
    this.#world.history.add({ type: "progress", ...where });
    this.#events.changed(lease.job);
  }

  #done(lease: Lease, outcome: Outcome | undefined): void {
    const { job, run, worker } = lease;
    lease.timer?.cancel();
    lease.worker = undefined;
    if (this.#current.get(job.id) === lease) {
      this.#current.delete(job.id);
      this.#events.finished(job, outcome ?? {});
    } else if (outcome) {
      this.#world.history.add({ type: "late_report", endpoint: job.endpoint, job: job.id, run });
    }
    if (!worker) return;
    if (outcome?.stopWorker) this.#pool.stop(worker);
    else this.#pool.release(worker);
  }

  #stopWorker(lease: Lease): void {
    const { worker } = lease;
    lease.worker = undefined;
    if (worker) this.#pool.stop(worker);
  }
}
