import type { Fleet, Take, Taken } from "./fleet.ts";
import { IdleShrink } from "./idle-shrink.ts";
import { isFinished, type Job, keepWhatIsTold } from "./job.ts";
import { JobStates } from "./job-states.ts";
import { isObject, type Json } from "./json.ts";
import { Leases } from "./leases.ts";
import { type EndpointSettings, endpointSettings, LONGEST_POLICY_MS } from "./settings.ts";
import { newJob, type Submission } from "./submission.ts";
import type { Webhooks } from "./webhooks.ts";
import type { Worker } from "./worker-set.ts";
import type { World } from "./world.ts";

/** No queue cap below so many waiting jobs. */
const UNCAPPED_JOBS = 50;

/** Job counts of an endpoint since the simulator started. */
export interface JobCounts {
  completed: number;
  failed: number;
  inProgress: number;
  inQueue: number;
  retried: number;
}

/** Makes the fleet of an endpoint, once its queue stands. */
export type CreateFleet = (
  id: string,
  settings: Readonly<EndpointSettings>,
  queue: ReadonlyMap<string, Job>,
  take: Take,
) => Fleet;

/** One Serverless endpoint: its queue, its workers, and what callers may ask of its jobs. */
export class Endpoint {
  readonly id: string;
  readonly settings: Readonly<EndpointSettings>;
  readonly fleet: Fleet;
  readonly leases: Leases;
  readonly #world: World;
  readonly #states: JobStates;
  readonly #idleShrink: IdleShrink;

  constructor(id: string, settings: EndpointSettings, create: CreateFleet, world: World, webhooks: Webhooks) {
    this.id = id;
    this.settings = settings;
    this.#world = world;
    this.#states = new JobStates(id, settings, world, webhooks, {
      released: (job) => this.leases.close(job),
      grown: () => this.fleet.check(),
    });
    this.fleet = create(id, settings, this.#states.queue, (worker) => this.#take(worker));
    this.leases = new Leases(world, settings, this.fleet, this.#states, world.random.stream(`runs/${id}`));
    this.#idleShrink = new IdleShrink(world, (workersMax) => this.#shrink(workersMax));
  }

  /** Puts a new job in the queue. Undefined: the queue is full. */
  submit(submission: Submission, uuid: string): Job | undefined {
    const { queueCapPerWorker, workersMax } = this.settings;
    const waiting = this.#states.queue.size;
    if (waiting > UNCAPPED_JOBS && waiting > workersMax * queueCapPerWorker) return undefined;
    const now = this.#world.clock.now();
    const named = `${uuid}-${this.#world.settings.region}`;
    const id = submission.sync ? `sync-${named}` : named;
    const job = newJob(submission, { id, endpoint: this.id, now, settings: this.settings });
    this.#idleShrink.requested();
    this.#states.add(job);
    const forget = this.#world.faults.strike("job_forget", this.#states.subject(job));
    if (forget) this.#world.clock.after(forget.afterMs ?? 0, () => this.#states.remove(job, "forgotten"));
    return job;
  }

  job(id: string): Job | undefined {
    return this.#states.jobs.get(id);
  }

  jobs(): Job[] {
    return [...this.#states.jobs.values()];
  }

  /** Ids of the waiting jobs, next first. */
  queue(): string[] {
    return [...this.#states.queue.keys()];
  }

  /** Ends a job that is not finished yet; leaves others as they are. */
  cancel(job: Job): void {
    if (!isFinished(job)) this.#states.end(job, "CANCELLED");
  }

  /** Queues a FAILED or TIMED_OUT job again under its id. False for any other state. */
  retry(job: Job): boolean {
    if (job.state !== "FAILED" && job.state !== "TIMED_OUT") return false;
    keepWhatIsTold(job);
    job.delayFrom = this.#world.clock.now();
    job.retries = 0;
    this.#states.enqueue(job);
    return true;
  }

  /** Lets a job live for so long from now, whatever its state. */
  limitLife(job: Job, ttlMs: number): void {
    this.#states.expireAt(job, this.#world.clock.now() + Math.min(ttlMs, LONGEST_POLICY_MS));
  }

  /** Removes what waits in the queue and says how many jobs that were. */
  purge(): number {
    const waiting = [...this.#states.queue.values()];
    for (const job of waiting) {
      if (this.settings.purged === "CANCELLED") this.cancel(job);
      else this.#states.remove(job, "purged");
    }
    return waiting.length;
  }

  /** Calls back once, when the job is finished or gone. Returns how to stop waiting. */
  whenFinished(job: Job, callback: () => void): () => void {
    return this.#states.finished.wait(job.id, callback);
  }

  /** Calls back once, when the job's handler yields, or the job is finished or gone. */
  whenYielded(job: Job, callback: () => void): () => void {
    return this.#states.yields.wait(job.id, callback);
  }

  /** Takes what the job's handler yielded so far: nobody gets it a second time. */
  drain(job: Job): Json[] {
    const { chunks = [] } = job;
    if (chunks.length === 0) return [];
    delete job.chunks;
    this.#world.store.save(job);
    return chunks;
  }

  counts(): JobCounts {
    return { ...this.#states.counts, inProgress: this.leases.size, inQueue: this.#states.queue.size };
  }

  /** Changes settings, at once. Throws a RangeError on ones that can't be. */
  configure(changes: Partial<EndpointSettings>): void {
    Object.assign(this.settings, endpointSettings(this.id, { ...this.settings, ...changes }));
    this.fleet.reconfigured();
  }

  /** Cancels all jobs and stops all workers: the endpoint is no more. */
  close(): void {
    this.#idleShrink.stop();
    this.configure({ workersMin: 0, workersMax: 0 });
    for (const job of this.jobs()) this.cancel(job);
    for (const job of this.jobs()) this.#states.remove(job, "endpoint_deleted");
    // Programs outside go on asking, but nobody pays for them any more.
    for (const worker of [...this.fleet.workers.in("idle")]) this.fleet.stop(worker);
  }

  /** A worker tells of the progress of a job that is no longer its own. */
  progressedLate(job: Job, worker: string, output: Json): void {
    if (job.workerId === worker) this.#states.progressedLate(job, job.run, output);
  }

  /** Takes up the jobs that an earlier process kept, oldest first. Their workers, if any, are gone. */
  restore(jobs: readonly Job[]): void {
    this.#states.restore(jobs);
  }

  #take(worker: Worker): Taken | undefined {
    const [job] = this.#states.queue.values();
    if (!job) return undefined;
    this.#states.started(job, worker.id);
    const { id, input, s3Config } = job;
    // RunPod drops an empty input on the way; the worker then refuses the job without telling anyone.
    const isEmpty = isObject(input) && Object.keys(input).length === 0;
    const isUnusable = isEmpty && this.settings.emptyInput === "lost";
    if (isUnusable || this.#world.faults.strike("job_lose", this.#states.subject(job))) {
      this.leases.openSilent(job);
      return { sent: isUnusable ? { id } : undefined, busy: false };
    }
    this.leases.open(job, worker);
    return { sent: { id, input, ...(s3Config && { s3Config }) }, busy: true };
  }

  #shrink(workersMax: number): void {
    const { shrinksIdle, workersMin, workersMax: before } = this.settings;
    if (!shrinksIdle || before <= workersMax) return;
    this.#world.history.add({ type: "shrunk", endpoint: this.id, workersMax });
    this.configure({ workersMax, workersMin: Math.min(workersMin, workersMax) });
  }
}
