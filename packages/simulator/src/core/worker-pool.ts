import type { Fleet, Take } from "./fleet.ts";
import type { Job } from "./job.ts";
import type { Random } from "./random.ts";
import { type EndpointSettings, LONGEST_POLICY_MS } from "./settings.ts";
import { type Worker, WorkerSet } from "./worker-set.ts";
import type { Execute, World } from "./world.ts";

const WORKER_ID_LENGTH = 14;
const LONGEST_RESTART_MS = 300_000;
/** RunPod goes on trying a worker that crashes for so long. */
const RESTARTS_FOR_MS = LONGEST_POLICY_MS;
const THROTTLED_MS = 30_000;

/**
 * The simulated workers of an endpoint: starts them when jobs wait, hands them jobs, keeps them warm, stops
 * them.
 */
export class WorkerPool implements Fleet {
  readonly workers: WorkerSet;
  readonly execute: Execute;
  readonly heartbeat = false;
  readonly #world: World;
  readonly #endpoint: string;
  readonly #settings: Readonly<EndpointSettings>;
  readonly #queue: ReadonlyMap<string, Job>;
  readonly #take: Take;
  readonly #random: Random;
  #scaleTimer: { cancel(): void } | undefined;
  /** Jobs that are on their way to a worker, and jobs that workers hold. */
  #underWay = 0;
  #held = 0;

  constructor(
    world: World,
    endpoint: string,
    settings: Readonly<EndpointSettings>,
    queue: ReadonlyMap<string, Job>,
    { take, execute }: { take: Take; execute: Execute },
  ) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#settings = settings;
    this.#queue = queue;
    this.#take = take;
    this.execute = execute;
    this.workers = new WorkerSet(world, endpoint, settings);
    this.#random = world.random.stream(`workers/${endpoint}`);
  }

  check(): void {
    // First, so that a worker too many gets no further job.
    this.#shrink();
    this.#dispatch();
    this.#scale();
  }

  reconfigured(): void {
    for (const worker of this.workers.in("idle")) this.#stopInTime(worker);
    this.check();
  }

  release(worker: Worker): void {
    worker.jobs--;
    this.#held--;
    this.#settle(worker);
    this.check();
  }

  stop(worker: Worker): void {
    this.#retire(worker, "stopped");
    this.check();
  }

  retireWhenFree(worker: Worker): void {
    worker.retiring = true;
    this.release(worker);
  }

  crash(worker: Worker): void {
    const now = this.#world.clock.now();
    const { count, since } = worker.crashes ?? { count: 0, since: now };
    this.#retire(worker, "unhealthy");
    if (now - since >= RESTARTS_FOR_MS) {
      this.#retire(worker, "stopped");
    } else {
      worker.crashes = { count: count + 1, since };
      const waitMs = Math.min(this.#settings.restartMs * 2 ** count, LONGEST_RESTART_MS);
      this.#later(worker, waitMs, () => this.#begin(worker));
    }
    this.check();
  }

  #retire(worker: Worker, state: "stopped" | "unhealthy"): void {
    this.#held -= worker.jobs;
    this.#underWay -= worker.pickups.size;
    this.workers.retire(worker, state);
  }

  #dispatch(): void {
    while (this.#underWay < this.#queue.size) {
      const worker = this.#free();
      if (!worker) return;
      this.#pickUp(worker);
    }
  }

  #free(): Worker | undefined {
    const [idle] = this.workers.in("idle");
    if (idle || this.#settings.jobsPerWorker === 1) return idle;
    // Of more than the maximum, which has gone down, the last ones get nothing more.
    let allowed = this.#settings.workersMax;
    for (const state of ["taking", "running"] as const) {
      for (const worker of this.workers.in(state)) {
        if (allowed-- <= 0) return undefined;
        const has = worker.jobs + worker.pickups.size;
        if (has < this.#settings.jobsPerWorker && !worker.retiring) return worker;
      }
    }
    return undefined;
  }

  #pickUp(worker: Worker): void {
    const timer = this.#world.clock.after(this.#random.within(this.#settings.pickupMs), () => {
      worker.pickups.delete(timer);
      this.#underWay--;
      const isBusy = this.#take(worker)?.busy === true;
      if (isBusy) {
        worker.jobs++;
        this.#held++;
      }
      this.#settle(worker);
      if (!isBusy) this.check();
    });
    worker.pickups.add(timer);
    this.#underWay++;
    this.#settle(worker);
  }

  /** Its state by what it has; one that has nothing is idle and stops in time. */
  #settle(worker: Worker): void {
    if (worker.jobs > 0 || worker.pickups.size > 0) {
      const state = worker.jobs > 0 ? "running" : "taking";
      if (worker.state !== state) this.workers.move(worker, state);
    } else if (worker.retiring) {
      this.#retire(worker, "stopped");
    } else {
      this.workers.move(worker, "idle");
      worker.idleSince = this.#world.clock.now();
      this.#stopInTime(worker);
    }
  }

  /** An idle worker stops at the end of the idle timeout, unless it is one of those that stay. */
  #stopInTime(worker: Worker): void {
    const { idleSince = 0 } = worker;
    const idleMs = this.#world.clock.now() - idleSince;
    worker.timer?.cancel();
    this.#later(worker, Math.max(0, this.#settings.idleTimeoutMs - idleMs), () => {
      if (this.workers.live > this.#settings.workersMin) this.stop(worker);
    });
  }

  /** After the maximum went down: workers without a job go; the others when they are done. */
  #shrink(): void {
    for (const state of ["idle", "initializing", "throttled", "unhealthy"] as const) {
      for (const worker of this.workers.in(state)) {
        if (this.workers.live <= this.#settings.workersMax) return;
        this.#retire(worker, "stopped");
      }
    }
  }

  #scale(): void {
    this.#scaleTimer?.cancel();
    const { workersMin, workersMax } = this.#settings;
    while (this.workers.live < workersMin) this.#start();
    if (this.workers.live >= workersMax) return;
    if (this.#settings.scaler === "REQUEST_COUNT") this.#scaleByCount();
    else this.#scaleByDelay();
  }

  #scaleByCount(): void {
    let jobs = this.#held;
    for (const job of this.#queue.values()) if (!job.lowPriority) jobs++;
    const wanted = Math.min(Math.ceil(jobs / this.#settings.requestCount), this.#settings.workersMax);
    while (this.workers.live < wanted) this.#start();
  }

  #scaleByDelay(): void {
    const { workersMax, queueDelayMs, jobsPerWorker } = this.#settings;
    // Throttled and unhealthy workers help nobody, but count against the maximum.
    const able = this.workers.count("initializing", "idle", "taking", "running");
    let covered = able * jobsPerWorker - this.#held;
    for (const job of this.#queue.values()) {
      if (this.workers.live >= workersMax) return;
      if (covered-- > 0 || job.lowPriority) continue;
      const waitMs = job.queuedAt + queueDelayMs - this.#world.clock.now();
      if (this.workers.live > 0 && waitMs > 0) {
        this.#scaleTimer = this.#world.clock.after(waitMs, () => this.#scale());
        return;
      }
      this.#start();
      covered += jobsPerWorker - 1;
    }
  }

  #start(): void {
    const [stopped] = this.workers.in("stopped");
    const worker = stopped ?? this.workers.add(this.#random.name(WORKER_ID_LENGTH));
    this.#begin(worker);
  }

  #begin(worker: Worker): void {
    const { faults } = this.#world;
    const subject = { endpoint: this.#endpoint };
    const throttle = faults.strike("worker_throttle", subject);
    if (throttle) {
      this.workers.move(worker, "throttled");
      this.workers.tell("worker_throttled", worker);
      this.#later(worker, faults.span(throttle.forMs ?? THROTTLED_MS), () => this.#begin(worker));
      // The jobs it was for may be worth another worker by then.
      this.#world.clock.after(this.#settings.queueDelayMs, () => this.check());
      return;
    }
    this.workers.move(worker, "initializing");
    this.workers.tell("worker_starting", worker);
    const startMs = this.#random.within(this.#startSpan(worker)) + faults.lateness("slow_worker", subject);
    this.#later(worker, startMs, () => {
      if (faults.strike("worker_crash_loop", subject)) {
        this.crash(worker);
        return;
      }
      delete worker.crashes;
      this.workers.tell("worker_ready", worker);
      this.#settle(worker);
      this.check();
    });
  }

  #startSpan({ stoppedAt }: Worker) {
    const { flashBoot, flashBootMs, flashBootKeepMs, coldStartMs } = this.#settings;
    const isKept = stoppedAt !== undefined && this.#world.clock.now() - stoppedAt < flashBootKeepMs;
    return flashBoot && isKept ? flashBootMs : coldStartMs;
  }

  #later(worker: Worker, delayMs: number, run: () => void): void {
    worker.timer = this.#world.clock.after(delayMs, run);
  }
}
