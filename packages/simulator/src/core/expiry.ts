import type { Timer } from "../time/clock.ts";
import { isFinished, type Job } from "./job.ts";
import type { World } from "./world.ts";

/** When jobs are removed: at the end of their time to live, or of the retention once they are finished. */
export class Expiry {
  readonly #timers = new Map<string, Timer>();
  readonly #world: World;
  readonly #expired: (job: Job, reason: "retention" | "ttl") => void;

  constructor(world: World, expired: (job: Job, reason: "retention" | "ttl") => void) {
    this.#world = world;
    this.#expired = expired;
  }

  /** To be called whenever the job's state or time to live changed. */
  plan(job: Job): void {
    this.drop(job);
    const { retention } = this.#world.settings;
    const keepMs = job.sync ? retention.runsyncMs : retention.runMs;
    const finishedAt = isFinished(job) ? job.finishedAt : undefined;
    const retainedUntil = (finishedAt ?? Number.POSITIVE_INFINITY) + keepMs;
    const reason = retainedUntil < job.expiresAt ? "retention" : "ttl";
    const delayMs = Math.max(0, Math.min(retainedUntil, job.expiresAt) - this.#world.clock.now());
    const timer = this.#world.clock.after(delayMs, () => this.#expired(job, reason));
    this.#timers.set(job.id, timer);
  }

  /** The job is gone. */
  drop(job: Job): void {
    this.#timers.get(job.id)?.cancel();
    this.#timers.delete(job.id);
  }
}
