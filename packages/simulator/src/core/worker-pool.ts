import type { Timer } from "../time/clock.ts";
import type { Job } from "./job.ts";
import type { Random } from "./random.ts";
import type { EndpointSettings } from "./settings.ts";
import type { World } from "./world.ts";

/**
 * `taking` is a free worker to which the next job is on its way. `stopped` is a scaled-down worker, which
 * RunPod keeps as a record and wakes again.
 */
export type WorkerState = "stopped" | "initializing" | "idle" | "taking" | "running";

/** One worker of an endpoint. */
export interface Worker {
  readonly id: string;
  state: WorkerState;
  /** What happens next to it by itself: ready, picks up, stops. */
  timer?: Timer;
}

const WORKER_ID_LENGTH = 14;

/**
 * The workers of an endpoint: starts them when jobs wait (RunPod's queue delay scaler), hands them jobs, keeps
 * them warm, stops them.
 */
export class WorkerPool {
  readonly #in: Record<WorkerState, Set<Worker>> = {
    stopped: new Set(),
    initializing: new Set(),
    idle: new Set(),
    taking: new Set(),
    running: new Set(),
  };
  readonly #world: World;
  readonly #endpoint: string;
  readonly #settings: EndpointSettings;
  readonly #queue: ReadonlyMap<string, Job>;
  readonly #take: (worker: Worker) => boolean;
  readonly #random: Random;
  #scaleTimer: Timer | undefined;

  /** `take` gives the worker the head of `queue` and says whether that keeps it busy. */
  constructor(
    world: World,
    endpoint: string,
    settings: EndpointSettings,
    queue: ReadonlyMap<string, Job>,
    take: (worker: Worker) => boolean,
  ) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#settings = settings;
    this.#queue = queue;
    this.#take = take;
    this.#random = world.random.stream(`workers/${endpoint}`);
  }

  /** To be called whenever the queue or the workers changed. */
  check(): void {
    this.#dispatch();
    this.#scale();
  }

  /** The worker has let go of its job. */
  release(worker: Worker): void {
    if (worker.state === "stopped") return;
    this.#rest(worker);
    this.check();
  }

  /** Stops a worker, whatever it does. */
  stop(worker: Worker): void {
    if (worker.state === "stopped") return;
    this.#move(worker, "stopped");
    this.#tell("worker_stopped", worker);
    this.check();
  }

  count(...states: WorkerState[]): number {
    return states.reduce((sum, state) => sum + this.#in[state].size, 0);
  }

  workers(): Worker[] {
    return Object.values(this.#in).flatMap((workers) => [...workers]);
  }

  #dispatch(): void {
    for (const worker of this.#in.idle) {
      if (this.#in.taking.size >= this.#queue.size) return;
      this.#move(worker, "taking");
      this.#later(worker, this.#random.within(this.#settings.pickupMs), () => {
        if (this.#take(worker)) this.#move(worker, "running");
        else this.release(worker);
      });
    }
  }

  #scale(): void {
    this.#scaleTimer?.cancel();
    while (this.#live < this.#settings.workersMin) this.#start();
    if (this.#live >= this.#settings.workersMax) return;
    let covered = this.count("initializing", "idle", "taking");
    for (const job of this.#queue.values()) {
      if (this.#live >= this.#settings.workersMax) return;
      if (covered-- > 0 || job.lowPriority) continue;
      const waitMs = job.queuedAt + this.#settings.queueDelayMs - this.#world.clock.now();
      if (this.#live > 0 && waitMs > 0) {
        this.#scaleTimer = this.#world.clock.after(waitMs, () => this.#scale());
        return;
      }
      this.#start();
    }
  }

  #start(): void {
    const [worker = { id: this.#random.name(WORKER_ID_LENGTH), state: "stopped" } satisfies Worker] =
      this.#in.stopped;
    this.#move(worker, "initializing");
    this.#tell("worker_starting", worker);
    this.#later(worker, this.#random.within(this.#settings.coldStartMs), () => {
      this.#tell("worker_ready", worker);
      this.release(worker);
    });
  }

  #rest(worker: Worker): void {
    this.#move(worker, "idle");
    this.#later(worker, this.#settings.idleTimeoutMs, () => {
      if (this.#live > this.#settings.workersMin) this.stop(worker);
    });
  }

  get #live(): number {
    return this.count("initializing", "idle", "taking", "running");
  }

  #move(worker: Worker, state: WorkerState): void {
    worker.timer?.cancel();
    this.#in[worker.state].delete(worker);
    worker.state = state;
    this.#in[state].add(worker);
  }

  #later(worker: Worker, delayMs: number, run: () => void): void {
    worker.timer = this.#world.clock.after(delayMs, run);
  }

  #tell(type: "worker_starting" | "worker_ready" | "worker_stopped", worker: Worker): void {
    this.#world.history.add({ type, endpoint: this.#endpoint, worker: worker.id });
  }
}
