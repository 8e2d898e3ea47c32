import type { Timer } from "../time/clock.ts";
import type { RemovalReason } from "./history.ts";
import { isFinished, type Job, type JobState } from "./job.ts";
import { isObject, type Json } from "./json.ts";
import { type LeaseEvents, Leases } from "./leases.ts";
import { type EndpointSettings, LARGEST_BYTES, LONGEST_POLICY_MS } from "./settings.ts";
import { newJob, type Submission } from "./submission.ts";
import type { Webhooks } from "./webhooks.ts";
import { type Worker, WorkerPool } from "./worker-pool.ts";
import type { Execute, Outcome, World } from "./world.ts";

/** How often the platform re-dispatches a job whose worker went silent. */
const RE_DISPATCHES = 1;

/** Job counts of an endpoint since the simulator started. */
export interface JobCounts {
  completed: number;
  failed: number;
  inProgress: number;
  inQueue: number;
  retried: number;
}

/** One Serverless endpoint: its queue, its jobs and the only code that changes a job's state. */
export class Endpoint {
  readonly id: string;
  readonly settings: EndpointSettings;
  readonly pool: WorkerPool;
  readonly #world: World;
  readonly #webhooks: Webhooks;
  readonly #jobs = new Map<string, Job>();
  readonly #queue = new Map<string, Job>();
  readonly #leases: Leases;
  readonly #removals = new Map<string, Timer>();
  readonly #waiters = new Map<string, Set<() => void>>();
  readonly #counts = { completed: 0, failed: 0, retried: 0 };

  constructor(id: string, settings: EndpointSettings, execute: Execute, world: World, webhooks: Webhooks) {
    this.id = id;
    this.settings = settings;
    this.#world = world;
    this.#webhooks = webhooks;
    this.pool = new WorkerPool(world, id, settings, this.#queue, (worker) => this.#take(worker));
    const events: LeaseEvents = {
      changed: (job) => this.#world.store.save(job),
      finished: (job, outcome) => this.#finishRun(job, outcome),
      tooLong: (job) => this.#end(job, settings.timeoutState, { error: "executionTimeout exceeded" }),
      silent: (job) => this.#lose(job),
    };
    this.#leases = new Leases(world, settings, this.pool, execute, events, world.random.stream(`runs/${id}`));
  }

  /** Puts a new job in the queue. */
  submit(submission: Submission, uuid: string): Job {
    const now = this.#world.clock.now();
    // "u1" is a region of RunPod's.
    const id = submission.sync ? `sync-${uuid}-u1` : `${uuid}-u1`;
    const job = newJob(submission, { id, endpoint: this.id, now, settings: this.settings });
    this.#jobs.set(id, job);
    this.#enqueue(job);
    this.#removeInTime(job);
    const forget = this.#world.faults.strike("job_forget", this.#subject(job));
    if (forget) this.#world.clock.after(forget.afterMs ?? 0, () => this.#remove(job, "forgotten"));
    return job;
  }

  job(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  jobs(): Job[] {
    return [...this.#jobs.values()];
  }

  /** Ids of the waiting jobs, next first. */
  queue(): string[] {
    return [...this.#queue.keys()];
  }

  /** Ends a job that is not finished yet; leaves others as they are. */
  cancel(job: Job): void {
    if (!isFinished(job)) this.#end(job, "CANCELLED");
  }

  /** Queues a FAILED or TIMED_OUT job again under its id. False for any other state. */
  retry(job: Job): boolean {
    if (job.state !== "FAILED" && job.state !== "TIMED_OUT") return false;
    job.delayFrom = this.#world.clock.now();
    job.retries = 0;
    this.#enqueue(job);
    this.#removeInTime(job);
    return true;
  }

  /** Removes what waits in the queue and says how many jobs that were. */
  purge(): number {
    const waiting = [...this.#queue.values()];
    for (const job of waiting) this.#remove(job, "purged");
    return waiting.length;
  }

  /** Calls back once, when the job is finished or gone. Returns how to stop waiting. */
  whenFinished(job: Job, callback: () => void): () => void {
    const waiters = this.#waiters.get(job.id) ?? new Set();
    this.#waiters.set(job.id, waiters.add(callback));
    return () => waiters.delete(callback);
  }

  counts(): JobCounts {
    return { ...this.#counts, inProgress: this.#leases.size, inQueue: this.#queue.size };
  }

  /** Takes up a job that an earlier process kept. Its worker, if any, is gone. */
  restore(job: Job): void {
    this.#jobs.set(job.id, job);
    this.#removeInTime(job);
    if (job.state === "IN_QUEUE") this.#queue.set(job.id, job);
    else if (job.state === "IN_PROGRESS") this.#lose(job);
    else this.#webhooks.resume(job);
  }

  /** Tells all handlers to stop, for the end of the process: the jobs stay as they are. */
  abortAll(): void {
    this.#leases.abortAll();
  }

  #take(worker: Worker): boolean {
    const [job] = this.#queue.values();
    if (!job) return false;
    this.#queue.delete(job.id);
    job.state = "IN_PROGRESS";
    job.startedAt = this.#world.clock.now();
    job.workerId = worker.id;
    job.run++;
    this.#world.store.save(job);
    const { id, run } = job;
    this.#world.history.add({ type: "started", endpoint: this.id, job: id, worker: worker.id, run });
    // RunPod drops an empty input on the way; the worker then refuses the job without telling anyone.
    const unreported = isObject(job.input) && Object.keys(job.input).length === 0;
    if (unreported || this.#world.faults.strike("job_lose", this.#subject(job))) {
      this.#leases.openSilent(job);
      return false;
    }
    this.#leases.open(job, worker);
    return true;
  }

  #finishRun(job: Job, { output, error }: Outcome): void {
    const bytes = output === undefined ? 0 : Buffer.byteLength(JSON.stringify(output));
    const tooLarge = bytes > LARGEST_BYTES[job.sync ? "runsync" : "run"];
    if (tooLarge) this.#world.history.add({ type: "output_dropped", endpoint: this.id, job: job.id, bytes });
    this.#end(job, error === undefined ? "COMPLETED" : "FAILED", {
      ...(output !== undefined && !tooLarge && { output }),
      ...(error !== undefined && { error }),
    });
  }

  /** No word from the worker: once more, then give up (runpod/runpod-plugins-official, golden path 15). */
  #lose(job: Job): void {
    this.#world.history.add({ type: "lost", endpoint: this.id, job: job.id, run: job.run });
    if (job.retries >= RE_DISPATCHES) {
      this.#end(job, "FAILED", { error: `job timed out after ${job.retries} retries` });
      return;
    }
    job.retries++;
    this.#counts.retried++;
    this.#enqueue(job);
  }

  #enqueue(job: Job): void {
    this.#leases.close(job);
    job.state = "IN_QUEUE";
    job.queuedAt = this.#world.clock.now();
    for (const field of ["startedAt", "finishedAt", "workerId", "output", "error"] as const)
      delete job[field];
    this.#queue.set(job.id, job);
    this.#world.store.save(job);
    this.#world.history.add({ type: "queued", endpoint: this.id, job: job.id });
    this.pool.check();
  }

  /** A progress that was left in `output` is no result, so the end says what stays. */
  #end(job: Job, state: JobState, result: { output?: Json; error?: string } = {}): void {
    this.#queue.delete(job.id);
    delete job.output;
    Object.assign(job, result, { state, finishedAt: this.#world.clock.now() });
    if (state === "COMPLETED") this.#counts.completed++;
    if (state === "FAILED") this.#counts.failed++;
    const { error } = result;
    this.#world.history.add({
      type: "finished",
      endpoint: this.id,
      job: job.id,
      state,
      ...(error !== undefined && { error }),
    });
    this.#leases.close(job);
    this.#world.store.save(job);
    this.#removeInTime(job);
    this.#webhooks.jobFinished(job);
    this.#wake(job);
  }

  /** The end of the time to live comes for every job; the end of the retention for finished ones. */
  #removeInTime(job: Job): void {
    this.#removals.get(job.id)?.cancel();
    const { retention } = this.#world.settings;
    const keepMs = job.sync ? retention.runsyncMs : retention.runMs;
    const retainedUntil = (job.finishedAt ?? Number.POSITIVE_INFINITY) + keepMs;
    const [at, reason] =
      retainedUntil < job.expiresAt ? [retainedUntil, "retention" as const] : [job.expiresAt, "ttl" as const];
    const delayMs = Math.max(0, at - this.#world.clock.now());
    this.#removals.set(
      job.id,
      this.#world.clock.after(delayMs, () => this.#expire(job, reason)),
    );
  }

  #expire(job: Job, reason: "retention" | "ttl"): void {
    if (this.settings.ttlEnd === "TIMED_OUT" && !isFinished(job)) {
      job.expiresAt += LONGEST_POLICY_MS;
      this.#end(job, "TIMED_OUT");
    } else {
      this.#remove(job, reason);
    }
  }

  #remove(job: Job, reason: RemovalReason): void {
    if (!this.#jobs.delete(job.id)) return;
    this.#queue.delete(job.id);
    this.#removals.get(job.id)?.cancel();
    this.#removals.delete(job.id);
    this.#leases.close(job);
    this.#world.store.remove(job);
    this.#world.history.add({ type: "removed", endpoint: this.id, job: job.id, reason });
    this.#wake(job);
  }

  #wake(job: Job): void {
    const waiters = this.#waiters.get(job.id);
    this.#waiters.delete(job.id);
    for (const callback of waiters ?? []) callback();
  }

  #subject(job: Job) {
    return { endpoint: this.id, job: job.id, input: job.input };
  }
}
