import { Expiry } from "./expiry.ts";
import type { RemovalReason } from "./history.ts";
import { isFinished, type Job, type JobState } from "./job.ts";
import type { Json } from "./json.ts";
import type { LeaseEvents } from "./leases.ts";
import { type EndpointSettings, LONGEST_POLICY_MS } from "./settings.ts";
import { bytesOf, isChunkTooLarge, isResultTooLarge } from "./sizes.ts";
import { Waiters } from "./waiters.ts";
import type { Webhooks } from "./webhooks.ts";
import type { Outcome, World } from "./world.ts";

/** What else must hear of changes. */
export interface StateEvents {
  /** Whoever works on the job must let go of it. */
  released(job: Job): void;
  /** The queue has grown. */
  grown(): void;
}

/** An endpoint's jobs, and the only code that changes a job's state. */
export class JobStates implements LeaseEvents {
  readonly jobs = new Map<string, Job>();
  /** Those that wait, next first. */
  readonly queue = new Map<string, Job>();
  readonly finished = new Waiters();
  readonly yields = new Waiters();
  readonly counts = { completed: 0, failed: 0, retried: 0 };
  readonly #endpoint: string;
  readonly #settings: Readonly<EndpointSettings>;
  readonly #world: World;
  readonly #webhooks: Webhooks;
  readonly #events: StateEvents;
  readonly #expiry: Expiry;
  /** The outermost places of the queue so far. */
  #front = 0;
  #back = 0;

  constructor(
    endpoint: string,
    settings: Readonly<EndpointSettings>,
    world: World,
    webhooks: Webhooks,
    events: StateEvents,
  ) {
    this.#endpoint = endpoint;
    this.#settings = settings;
    this.#world = world;
    this.#webhooks = webhooks;
    this.#events = events;
    this.#expiry = new Expiry(world, (job, reason) => this.#expire(job, reason));
  }

  add(job: Job): void {
    this.jobs.set(job.id, job);
    this.enqueue(job);
  }

  enqueue(job: Job, place: "back" | "front" = "back"): void {
    this.#events.released(job);
    job.state = "IN_QUEUE";
    job.queuedAt = this.#world.clock.now();
    job.place = place === "front" ? --this.#front : ++this.#back;
    const ofLastRun = ["startedAt", "finishedAt", "workerId", "output", "error", "chunks", "shown"] as const;
    for (const field of ofLastRun) delete job[field];
    const others = place === "front" ? [...this.queue] : [];
    if (place === "front") this.queue.clear();
    for (const [id, waiting] of [[job.id, job] as const, ...others]) this.queue.set(id, waiting);
    this.#world.store.save(job);
    this.#expiry.plan(job);
    this.#world.history.add({ type: "queued", endpoint: this.#endpoint, job: job.id });
    this.#events.grown();
  }

  /** Takes up the jobs that an earlier process kept, oldest first. Their workers, if any, are gone. */
  restore(jobs: readonly Job[]): void {
    for (const job of jobs) {
      delete job.shown;
      this.jobs.set(job.id, job);
      this.#expiry.plan(job);
      this.#webhooks.resume(job);
    }
    const waiting = jobs.filter(({ state }) => state === "IN_QUEUE").sort((a, b) => a.place - b.place);
    for (const job of waiting) this.queue.set(job.id, job);
    this.#front = Math.min(0, waiting.at(0)?.place ?? 0);
    this.#back = Math.max(0, waiting.at(-1)?.place ?? 0);
    for (const job of jobs) if (job.state === "IN_PROGRESS") this.silent(job);
  }

  started(job: Job, worker: string): void {
    this.queue.delete(job.id);
    const skew = this.#world.faults.strike("clock_skew", this.subject(job));
    job.state = "IN_PROGRESS";
    job.startedAt = this.#world.clock.now() + (skew?.skewMs ?? 0);
    job.workerId = worker;
    job.run++;
    this.#world.store.save(job);
    const { id, run } = job;
    this.#world.history.add({ type: "started", endpoint: this.#endpoint, job: id, worker, run });
  }

  progressed(job: Job, output: Json): void {
    job.output = output;
    this.#world.store.save(job);
  }

  yielded(job: Job, chunk: Json, worker: string): void {
    const where = { endpoint: this.#endpoint, job: job.id, worker };
    if (isChunkTooLarge(this.#world.settings.largest, chunk)) {
      this.#world.history.add({ type: "chunk_dropped", ...where });
      return;
    }
    job.chunks = [...(job.chunks ?? []), chunk];
    this.#world.store.save(job);
    this.#world.history.add({ type: "chunk", ...where });
    this.yields.wake(job.id);
  }

  progressedLate(job: Job, run: number, output: Json): void {
    this.#world.history.add({ type: "late_progress", endpoint: this.#endpoint, job: job.id, run });
    const isLast = run === job.run && this.jobs.get(job.id) === job;
    if (this.#settings.lateProgress === "regress" && isLast && isFinished(job))
      this.#regress(job, output, this.#settings.regressMs);
  }

  reported(job: Job, { output, error }: Outcome): boolean {
    const tooLarge = isResultTooLarge(this.#world.settings.largest, job.sync, output);
    if (tooLarge) {
      const bytes = bytesOf(output);
      this.#world.history.add({ type: "output_dropped", endpoint: this.#endpoint, job: job.id, bytes });
      if (this.#settings.oversizeResult === "stuck") return false;
    }
    this.end(job, error === undefined ? "COMPLETED" : "FAILED", {
      ...(output !== undefined && !tooLarge && { output }),
      ...(error !== undefined && { error }),
    });
    return true;
  }

  tooLong(job: Job): void {
    this.end(job, this.#settings.timeoutState, { error: "executionTimeout exceeded" });
  }

  /** No word from the worker: once more, then give up (runpod/runpod-plugins-official, golden path 15). */
  silent(job: Job): void {
    this.#world.history.add({ type: "lost", endpoint: this.#endpoint, job: job.id, run: job.run });
    if (job.retries >= this.#settings.reDispatches) {
      this.end(job, "FAILED", { error: `job timed out after ${job.retries} retries` });
      return;
    }
    job.retries++;
    this.#count("retried");
    this.enqueue(job, this.#settings.reDispatchPlace);
  }

  /** A progress that was left in `output` is no result, so the end says what stays. */
  end(job: Job, state: JobState, result: { output?: Json; error?: string } = {}): void {
    this.queue.delete(job.id);
    const { output: progress } = job;
    if (!this.#settings.keepsProgress) delete job.output;
    Object.assign(job, result, { state, finishedAt: this.#world.clock.now() });
    if (state === "COMPLETED") this.#count("completed");
    if (state === "FAILED") this.#count("failed");
    const { error } = result;
    this.#world.history.add({
      type: "finished",
      endpoint: this.#endpoint,
      job: job.id,
      state,
      ...(error !== undefined && { error }),
    });
    this.#events.released(job);
    // In one write with the end itself, so that no kill can come between the two.
    const deliver = this.#webhooks.due(job);
    this.#world.store.save(job);
    this.#expiry.plan(job);
    deliver?.();
    const regress = this.#world.faults.strike("status_regress", this.subject(job));
    if (regress) {
      const { afterMs = 0, forMs = this.#settings.regressMs } = regress;
      this.#world.clock.after(afterMs, () => this.#regress(job, progress, forMs));
    }
    this.#wake(job);
  }

  #count(what: "completed" | "failed" | "retried"): void {
    this.counts[what]++;
    const { healthWindowMs } = this.#settings;
    if (healthWindowMs < Number.POSITIVE_INFINITY) {
      this.#world.clock.after(healthWindowMs, () => this.counts[what]--);
    }
  }

  /** Lets a job live until then, whatever its state. */
  expireAt(job: Job, at: number): void {
    job.expiresAt = at;
    this.#world.store.save(job);
    this.#expiry.plan(job);
  }

  remove(job: Job, reason: RemovalReason): void {
    if (!this.jobs.delete(job.id)) return;
    this.queue.delete(job.id);
    this.#expiry.drop(job);
    this.#events.released(job);
    this.#world.store.remove(job);
    this.#world.history.add({ type: "removed", endpoint: this.#endpoint, job: job.id, reason });
    this.#wake(job);
  }

  /** The job, for a fault to look at. */
  subject(job: Job) {
    return { endpoint: this.#endpoint, job: job.id, input: job.input };
  }

  /** A progress that overtakes the result turns the status back (runpod-python#250). */
  #regress(job: Job, output: Json | undefined, forMs: number): void {
    const shown = { state: "IN_PROGRESS", output };
    job.shown = shown;
    this.#world.clock.after(forMs, () => {
      if (job.shown === shown) delete job.shown;
    });
  }

  #expire(job: Job, reason: "retention" | "ttl"): void {
    if (this.#settings.ttlEnd === "TIMED_OUT" && !isFinished(job)) {
      job.expiresAt += LONGEST_POLICY_MS;
      this.end(job, "TIMED_OUT");
    } else {
      this.remove(job, reason);
    }
  }

  #wake(job: Job): void {
    this.finished.wake(job.id);
    this.yields.wake(job.id);
  }
}
