import type { JobState } from "./job.ts";

/** Why a job is no longer known. */
export type RemovalReason =
  | "ttl"
  | "retention"
  | "purged"
  | "forgotten"
  | "unknown_endpoint"
  | "endpoint_deleted";

/** One thing that happened, without when. */
export type Happening =
  /** A call of the job API came in … */
  | { type: "received"; operation: string; endpoint: string; job?: string }
  /** … and how it was answered: a status code, or what a fault did instead. */
  | { type: "answered"; operation: string; endpoint: string; job?: string; answer: number | "none" | "reset" }
  | { type: "queued"; endpoint: string; job: string }
  | {
      type: "worker_starting" | "worker_throttled" | "worker_ready" | "worker_stopped" | "worker_unhealthy";
      endpoint: string;
      worker: string;
    }
  /** The platform changed the endpoint's maximum of workers by itself. */
  | { type: "shrunk"; endpoint: string; workersMax: number }
  | { type: "started"; endpoint: string; job: string; worker: string; run: number }
  | { type: "progress"; endpoint: string; job: string; worker: string }
  /** A progress that came when its run was over. */
  | { type: "late_progress"; endpoint: string; job: string; run: number }
  /** A generator yielded; a chunk over 1 MiB is dropped. */
  | { type: "chunk" | "chunk_dropped"; endpoint: string; job: string; worker: string }
  /** A line a worker wrote. */
  | { type: "log"; endpoint: string; job: string; worker: string; stream: "stdout" | "stderr"; line: string }
  /** The job's end. */
  | { type: "finished"; endpoint: string; job: string; state: JobState; error?: string }
  /** The result was too large and was dropped. */
  | { type: "output_dropped"; endpoint: string; job: string; bytes: number }
  /** No word from the worker: the job goes back to the queue, or fails. */
  | { type: "lost"; endpoint: string; job: string; run: number }
  /** A worker reported on a job that was no longer its own. */
  | { type: "late_report"; endpoint: string; job: string; run: number }
  /** The job is gone: /status answers 404 from here on. */
  | { type: "removed"; endpoint: string; job: string; reason: RemovalReason }
  /** A webhook call and the receiver's status code, or why there is none. */
  | { type: "webhook"; endpoint: string; job: string; attempt: number; answer: number | string }
  | { type: "webhook_given_up"; endpoint: string; job: string }
  | { type: "fault"; fault: string; endpoint: string; job?: string };

/** A happening with its number (from 1, without gaps) and the clock's time. */
export type SimulatorEvent = Happening & { readonly order: number; readonly at: number };

/** Called for each event, at once and in order. Must not throw. */
export type Listener = (event: SimulatorEvent) => void;

/** The ordered record of what happened. Only the newest `limit` events are kept. */
export class History {
  #events: SimulatorEvent[] = [];
  #order = 0;
  readonly #listeners = new Set<Listener>();
  readonly #now: () => number;
  readonly #limit: number;

  constructor(now: () => number, limit: number) {
    this.#now = now;
    this.#limit = limit;
  }

  add(happening: Happening): void {
    const event: SimulatorEvent = { order: ++this.#order, at: this.#now(), ...happening };
    this.#events.push(event);
    // Trimmed in big steps, as each one copies.
    if (this.#events.length >= this.#limit * 2) this.#events = this.#events.slice(-this.#limit);
    for (const listener of this.#listeners) listener(event);
  }

  events(): SimulatorEvent[] {
    return this.#events.slice(-this.#limit);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first event that fits, from the past or the future. */
  until(fits: (event: SimulatorEvent) => boolean): Promise<SimulatorEvent> {
    const past = this.events().find(fits);
    if (past) return Promise.resolve(past);
    return new Promise((resolve) => {
      const stop = this.subscribe((event) => {
        if (!fits(event)) return;
        stop();
        resolve(event);
      });
    });
  }
}
