import type { Timer } from "../time/clock.ts";
import type { EndpointSettings } from "./settings.ts";
import { Usage } from "./usage.ts";
import type { World } from "./world.ts";

/**
 * `taking` is a free worker to which the next job is on its way. `stopped` is a scaled-down worker, which
 * RunPod keeps as a record and wakes again. `throttled` waits for a host, `unhealthy` crashed and will restart.
 */
export type WorkerState =
  | "stopped"
  | "throttled"
  | "initializing"
  | "unhealthy"
  | "idle"
  | "taking"
  | "running";

/** One worker of an endpoint. */
export interface Worker {
  readonly id: string;
  state: WorkerState;
  /** Jobs it holds. */
  jobs: number;
  /** Jobs that are on their way to it. */
  readonly pickups: Set<Timer>;
  /** What happens next to it by itself: ready, stops, restarts. */
  timer?: Timer;
  startedAt?: number;
  stoppedAt?: number;
  idleSince?: number;
  /** Gets no further job and stops when it has none. */
  retiring?: true;
  /** Crashes in a row, and when the first of them was. */
  crashes?: { count: number; since: number };
}

const BILLED: readonly WorkerState[] = ["initializing", "idle", "taking", "running"];

/** The workers of an endpoint by state, and how long they were billed. */
export class WorkerSet {
  readonly usage = new Usage();
  readonly #in: Record<WorkerState, Set<Worker>> = {
    stopped: new Set(),
    throttled: new Set(),
    initializing: new Set(),
    unhealthy: new Set(),
    idle: new Set(),
    taking: new Set(),
    running: new Set(),
  };
  readonly #world: World;
  readonly #endpoint: string;
  readonly #settings: Readonly<EndpointSettings>;

  constructor(world: World, endpoint: string, settings: Readonly<EndpointSettings>) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#settings = settings;
  }

  /** Adds a worker's record. */
  add(id: string): Worker {
    const worker: Worker = { id, state: "stopped", jobs: 0, pickups: new Set() };
    this.#in.stopped.add(worker);
    return worker;
  }

  in(state: WorkerState): ReadonlySet<Worker> {
    return this.#in[state];
  }

  count(...states: WorkerState[]): number {
    return states.reduce((sum, state) => sum + this.#in[state].size, 0);
  }

  /** Workers that count against the endpoint's maximum. */
  get live(): number {
    return this.count("throttled", "initializing", "unhealthy", "idle", "taking", "running");
  }

  all(): Worker[] {
    return Object.values(this.#in).flatMap((workers) => [...workers]);
  }

  /** Puts the worker in another state; what was to happen next to it is off. */
  move(worker: Worker, state: WorkerState): void {
    const now = this.#world.clock.now();
    if (worker.state === "stopped") worker.startedAt = now;
    worker.timer?.cancel();
    this.#in[worker.state].delete(worker);
    worker.state = state;
    this.#in[state].add(worker);
    const { billsColdStart } = this.#settings;
    const isBilled = BILLED.includes(state) && (billsColdStart || state !== "initializing");
    if (isBilled) this.usage.begin(worker.id, now);
    else this.usage.end(worker.id, now);
  }

  /** Puts it out of service: it holds nothing any more and nothing is on its way to it. */
  retire(worker: Worker, state: "stopped" | "unhealthy"): void {
    for (const timer of worker.pickups) timer.cancel();
    worker.pickups.clear();
    worker.jobs = 0;
    delete worker.retiring;
    this.move(worker, state);
    if (state === "stopped") {
      worker.stoppedAt = this.#world.clock.now();
      delete worker.crashes;
    }
    this.tell(state === "stopped" ? "worker_stopped" : "worker_unhealthy", worker);
  }

  tell(
    type: "worker_starting" | "worker_throttled" | "worker_ready" | "worker_stopped" | "worker_unhealthy",
    worker: Worker,
  ): void {
    this.#world.history.add({ type, endpoint: this.#endpoint, worker: worker.id });
  }
}
