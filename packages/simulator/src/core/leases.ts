import type { Timer } from "../time/clock.ts";
import type { Fleet } from "./fleet.ts";
import type { Job } from "./job.ts";
import type { Json } from "./json.ts";
import type { Random } from "./random.ts";
import type { EndpointSettings } from "./settings.ts";
import type { Worker } from "./worker-set.ts";
import type { Assignment, Outcome, World } from "./world.ts";

/** What becomes of a job that a worker holds. */
export interface LeaseEvents {
  progressed(job: Job, output: Json): void;
  /** A generator yielded. */
  yielded(job: Job, chunk: Json, worker: string): void;
  /** Says whether the job has ended. If not, the report was lost and the run goes on until its time is over. */
  reported(job: Job, outcome: Outcome): boolean;
  /** A progress of a run that is over. */
  progressedLate(job: Job, run: number, output: Json): void;
  /** It ran past its execution timeout. */
  tooLong(job: Job): void;
  /** Its worker is not heard of any more. */
  silent(job: Job): void;
}

interface Lease {
  job: Job;
  run: number;
  abort: AbortController;
  /** The worker that is busy with it; gone once that one is free or stopped. */
  worker: Worker | undefined;
  /** Execution timeout, or after an abort the grace. */
  limit?: Timer;
  silence?: Timer;
  /** Its worker died or was stopped with it: no report comes any more. */
  orphaned?: true;
}

/**
 * Who works on what. A lease ends with its job's run; its worker may be busy for longer, when a handler doesn't
 * heed the abort, and only the lease's own run can report.
 */
export class Leases {
  readonly #current = new Map<string, Lease>();
  readonly #world: World;
  readonly #settings: Readonly<EndpointSettings>;
  readonly #fleet: Fleet;
  readonly #events: LeaseEvents;
  readonly #random: Random;

  constructor(
    world: World,
    settings: Readonly<EndpointSettings>,
    fleet: Fleet,
    events: LeaseEvents,
    random: Random,
  ) {
    this.#world = world;
    this.#settings = settings;
    this.#fleet = fleet;
    this.#events = events;
    this.#random = random;
  }

  /** Jobs in progress. */
  get size(): number {
    return this.#current.size;
  }

  /** The worker begins to work on the job. */
  open(job: Job, worker: Worker): void {
    const { clock, faults } = this.#world;
    const lease = this.#add(job, worker);
    const limitMs = job.executionTimeoutMs + this.#random.within(this.#settings.timeoutLatenessMs);
    lease.limit = clock.after(limitMs, () => {
      // RunPod stops the worker too (docs, endpoint configurations: execution timeout), but not its other jobs.
      const isAlone = worker.jobs === 1;
      this.#events.tooLong(job);
      if (isAlone) this.#stopWorker(lease);
    });
    if (this.#fleet.heartbeat) this.#awaitPing(lease);
    const crash = faults.strike("worker_crash", subjectOf(job));
    const crashMs = crash && faults.span(crash.afterMs ?? 0);
    if (crashMs !== undefined) clock.after(crashMs, () => this.#crash(lease));
    this.#execute(lease, this.#assignment(lease, worker), crashMs === 0);
  }

  /** A worker took the job but will never report. */
  openSilent(job: Job): void {
    this.#awaitLoss(this.#add(job, undefined));
  }

  /** The worker told that it still works on the job. */
  heard(jobId: string, workerId: string): void {
    const lease = this.#current.get(jobId);
    if (lease?.worker?.id === workerId) this.#awaitPing(lease);
  }

  /** The run is over, or the job gone: what its worker says from now on counts for nothing. */
  close(job: Job): void {
    const lease = this.#current.get(job.id);
    if (!lease) return;
    this.#current.delete(job.id);
    lease.limit?.cancel();
    lease.silence?.cancel();
    lease.abort.abort();
    lease.limit = this.#world.clock.after(this.#settings.stopGraceMs, () => this.#stopWorker(lease));
  }

  /** Tells all handlers to stop. Their jobs stay as they are. */
  abortAll(): void {
    for (const lease of this.#current.values()) lease.abort.abort();
  }

  /** At once, or after what a fault makes the job longer by, or after a crash that is due now: no handler outruns it. */
  #execute({ job, abort: { signal } }: Lease, assignment: Assignment, crashes: boolean): void {
    const { clock, faults } = this.#world;
    // A worker program has its job by now, and is as slow as it is.
    const lateMs = this.#fleet.heartbeat ? 0 : faults.lateness("slow_job", subjectOf(job));
    if (this.#fleet.heartbeat || (lateMs === 0 && !crashes)) {
      this.#fleet.execute(assignment);
      return;
    }
    const letGo = () => {
      begin.cancel();
      // By the clock, on which nothing happens any more when the simulator has ended.
      clock.after(0, () => assignment.done(undefined));
    };
    const begin = clock.after(lateMs, () => {
      signal.removeEventListener("abort", letGo);
      this.#fleet.execute(assignment);
    });
    signal.addEventListener("abort", letGo);
  }

  #add(job: Job, worker: Worker | undefined): Lease {
    const lease: Lease = { job, run: job.run, abort: new AbortController(), worker };
    this.#current.set(job.id, lease);
    return lease;
  }

  #mayReport(lease: Lease): boolean {
    return this.#current.get(lease.job.id) === lease && !lease.orphaned;
  }

  /** The worker is a program outside, whose pings don't come faster when the clock does. */
  #awaitPing(lease: Lease): void {
    this.#awaitLoss(lease, (ms) => this.#world.clock.ofReal(ms));
  }

  #awaitLoss(lease: Lease, onClock: (ms: number) => number = (ms) => ms): void {
    lease.silence?.cancel();
    const silenceMs = onClock(this.#random.within(this.#settings.lossMs));
    lease.silence = this.#world.clock.after(silenceMs, () => this.#events.silent(lease.job));
  }

  #assignment(lease: Lease, worker: Worker): Assignment {
    const { job } = lease;
    const where = { endpoint: job.endpoint, job: job.id, worker: worker.id };
    return {
      job: { id: job.id, input: job.input, ...(job.s3Config && { s3Config: job.s3Config }) },
      sync: job.sync,
      endpoint: job.endpoint,
      workerId: worker.id,
      signal: lease.abort.signal,
      progress: (output) => this.#progress(lease, output, where),
      chunk: (output) => {
        if (this.#mayReport(lease)) this.#events.yielded(job, output, worker.id);
      },
      log: (stream, line) => this.#world.history.add({ type: "log", ...where, stream, line }),
      done: (outcome) => this.#done(lease, outcome),
    };
  }

  #progress(lease: Lease, output: Json, where: { endpoint: string; job: string; worker: string }): void {
    const { clock, faults, history } = this.#world;
    const { job, run } = lease;
    const arrive = () => {
      if (!this.#mayReport(lease)) return this.#events.progressedLate(job, run, output);
      history.add({ type: "progress", ...where });
      this.#events.progressed(job, output);
    };
    const lateMs = faults.lateness("progress_delay", subjectOf(job));
    if (lateMs > 0) clock.after(lateMs, arrive);
    else arrive();
  }

  #done(lease: Lease, outcome: Outcome | undefined): void {
    const { job, run, worker } = lease;
    lease.worker = undefined;
    if (this.#mayReport(lease)) {
      lease.silence?.cancel();
      this.#current.delete(job.id);
      if (this.#events.reported(job, outcome ?? {})) lease.limit?.cancel();
      else this.#current.set(job.id, lease);
    } else {
      lease.limit?.cancel();
      if (outcome) {
        this.#world.history.add({ type: "late_report", endpoint: job.endpoint, job: job.id, run });
      }
    }
    if (!worker) return;
    if (outcome?.stopWorker) this.#fleet.retireWhenFree(worker);
    else this.#fleet.release(worker);
  }

  #crash(lease: Lease): void {
    const { worker } = lease;
    if (!worker || !this.#mayReport(lease)) return;
    this.#fleet.crash(worker);
    this.#abandon(worker);
  }

  #stopWorker(lease: Lease): void {
    const { worker } = lease;
    lease.worker = undefined;
    if (!worker) return;
    this.#fleet.stop(worker);
    this.#abandon(worker);
  }

  /** The worker is gone, and nobody tells the platform of the jobs it held. */
  #abandon(worker: Worker): void {
    for (const lease of this.#current.values()) {
      if (lease.worker !== worker) continue;
      lease.worker = undefined;
      lease.orphaned = true;
      lease.limit?.cancel();
      this.#awaitLoss(lease);
      lease.abort.abort();
    }
  }
}

const subjectOf = ({ endpoint, id, input }: Job) => ({ endpoint, job: id, input });
