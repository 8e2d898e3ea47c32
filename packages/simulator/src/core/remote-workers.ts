import type { Timer } from "../time/clock.ts";
import type { Fleet, Take, Taken } from "./fleet.ts";
import type { Job } from "./job.ts";
import type { Random } from "./random.ts";
import type { EndpointSettings } from "./settings.ts";
import { Waiters } from "./waiters.ts";
import { type Worker, WorkerSet } from "./worker-set.ts";
import type { Assignment, Outcome, World } from "./world.ts";

/** A job as a worker is sent it. */
export type SentJob = NonNullable<Taken["sent"]>;

/** A worker that waits for work. */
interface Poll {
  worker: Worker;
  most: number;
  answer(jobs: SentJob[]): void;
}

/**
 * Workers that are programs of their own and ask for jobs over the worker protocol, as RunPod's worker library
 * does. Whoever asks is a worker; one that is not heard of for long is gone.
 */
export class RemoteWorkers implements Fleet {
  readonly workers: WorkerSet;
  readonly heartbeat = true;
  readonly #world: World;
  readonly #settings: Readonly<EndpointSettings>;
  readonly #queue: ReadonlyMap<string, Job>;
  readonly #takeNext: Take;
  readonly #random: Random;
  readonly #byId = new Map<string, Worker>();
  readonly #silences = new Map<string, Timer>();
  readonly #assignments = new Map<string, Assignment>();
  readonly #polls = new Set<Poll>();
  readonly #stops = new Map<string, Set<string>>();
  readonly #stopWaiters = new Waiters();

  constructor(
    world: World,
    endpoint: string,
    settings: Readonly<EndpointSettings>,
    queue: ReadonlyMap<string, Job>,
    take: Take,
  ) {
    this.#world = world;
    this.#settings = settings;
    this.#queue = queue;
    this.#takeNext = take;
    this.workers = new WorkerSet(world, endpoint, settings);
    this.#random = world.random.stream(`remote-workers/${endpoint}`);
  }

  /** Up to `most` jobs, as soon as there are any; none after a while, or when the caller hung up. */
  take(workerId: string, most: number, hungUp: AbortSignal, answer: (jobs: SentJob[]) => void): void {
    const worker = this.heard(workerId);
    const poll: Poll = {
      worker,
      most,
      answer: (jobs) => {
        this.#polls.delete(poll);
        timer.cancel();
        hungUp.removeEventListener("abort", onHangUp);
        answer(jobs);
      },
    };
    const onHangUp = () => poll.answer([]);
    const timer = this.#world.clock.after(this.#pollMs, () => poll.answer([]));
    hungUp.addEventListener("abort", onHangUp);
    this.#polls.add(poll);
    if (hungUp.aborted) onHangUp();
    this.check();
  }

  /** Ids of the jobs that this worker is to stop; each is told once. None after a while. */
  jobsToStop(workerId: string, hungUp: AbortSignal, answer: (jobs: string[]) => void): void {
    this.heard(workerId);
    const end = () => {
      timer.cancel();
      stopWaiting();
      hungUp.removeEventListener("abort", end);
      const jobs = [...(this.#stops.get(workerId) ?? [])];
      if (!hungUp.aborted) this.#stops.delete(workerId);
      answer(jobs);
    };
    const timer = this.#world.clock.after(this.#pollMs, end);
    const stopWaiting = this.#stopWaiters.wait(workerId, end);
    hungUp.addEventListener("abort", end);
    if (this.#stops.has(workerId) || hungUp.aborted) end();
  }

  /** What this worker does of this job; undefined when the job isn't its own (any more). */
  assignment(workerId: string, jobId: string): Assignment | undefined {
    const assignment = this.#assignments.get(jobId);
    return assignment?.workerId === workerId ? assignment : undefined;
  }

  /** The worker has reported the job's end. */
  finish(assignment: Assignment, outcome: Outcome): void {
    this.#assignments.delete(assignment.job.id);
    assignment.done(outcome);
  }

  /** The worker is alive. */
  heard(workerId: string): Worker {
    const worker = this.#byId.get(workerId) ?? this.workers.add(workerId);
    this.#byId.set(workerId, worker);
    if (worker.state === "stopped") {
      this.workers.move(worker, "idle");
      this.workers.tell("worker_ready", worker);
    }
    this.#silences.get(workerId)?.cancel();
    const silenceMs = this.#pollMs + this.#world.clock.ofReal(this.#random.within(this.#settings.lossMs));
    this.#silences.set(
      workerId,
      this.#world.clock.after(silenceMs, () => this.stop(worker)),
    );
    return worker;
  }

  execute(assignment: Assignment): void {
    const { job, workerId, signal } = assignment;
    this.#assignments.set(job.id, assignment);
    signal.addEventListener("abort", () => {
      if (this.#assignments.get(job.id) !== assignment) return;
      this.#assignments.delete(job.id);
      this.#stops.set(workerId, (this.#stops.get(workerId) ?? new Set()).add(job.id));
      this.#stopWaiters.wake(workerId);
      // A stopped job is reported by nobody, so the worker counts as free from here on.
      assignment.done(undefined);
    });
  }

  check(): void {
    for (const poll of this.#polls) {
      if (this.#queue.size === 0) return;
      const { worker, most } = poll;
      const jobs: SentJob[] = [];
      while (jobs.length < most && this.#mayWork(worker)) {
        const taken = this.#takeNext(worker);
        if (!taken) break;
        if (taken.busy) worker.jobs++;
        if (taken.sent) jobs.push(taken.sent);
      }
      this.#settle(worker);
      if (jobs.length > 0) poll.answer(jobs);
    }
  }

  reconfigured(): void {
    this.check();
  }

  release(worker: Worker): void {
    if (worker.jobs > 0) worker.jobs--;
    this.#settle(worker);
    this.check();
  }

  /** The program was told to go by its own answer; until then it may ask for more. */
  retireWhenFree(worker: Worker): void {
    this.release(worker);
  }

  stop(worker: Worker): void {
    if (worker.state !== "stopped") this.workers.retire(worker, "stopped");
  }

  crash(worker: Worker): void {
    this.stop(worker);
  }

  get #pollMs(): number {
    return this.#world.clock.ofReal(this.#settings.workerPollMs);
  }

  /** At most so many workers have jobs at a time, however many ask. */
  #mayWork(worker: Worker): boolean {
    return worker.jobs > 0 || this.workers.count("running") < this.#settings.workersMax;
  }

  #settle(worker: Worker): void {
    if (worker.state === "stopped") return;
    const state = worker.jobs > 0 ? "running" : "idle";
    if (worker.state !== state) this.workers.move(worker, state);
  }
}
