import type { SimulatorEvent } from "@podbase/simulator";

/** One time that a worker did a task's work, wholly or in part: what RunPod bills. Times in ms since the epoch. */
export interface Execution {
  /** RunPod's id of the job. */
  runpodJob: string;
  job: string;
  task: string;
  attempt: string;
  startedAt: number;
  /** When the work was done and its files were stored; absent when it broke off. */
  doneAt?: number;
}

/** What became of a job at RunPod. */
export interface RunPodJob {
  state: string;
  finishedAt: number;
  /** How often its worker was lost. */
  losses: number;
}

/** RunPod's side of the account: what was worked on, and how it ended. */
export class Ledger {
  readonly executions: Execution[] = [];
  readonly #ends = new Map<string, RunPodJob>();
  readonly #losses = new Map<string, number>();
  readonly #open = new Set<string>();

  /** Takes an event of RunPod's twin. */
  note(event: SimulatorEvent): void {
    if (event.type === "queued" || event.type === "started") this.#open.add(event.job);
    if (event.type === "lost") this.#losses.set(event.job, (this.#losses.get(event.job) ?? 0) + 1);
    if (event.type === "removed") this.#open.delete(event.job);
    if (event.type !== "finished") return;
    this.#open.delete(event.job);
    this.#ends.set(event.job, { state: event.state, finishedAt: Date.now(), losses: 0 });
  }

  /** How a job at RunPod ended; undefined when it has not. */
  end(runpodJob: string): RunPodJob | undefined {
    const end = this.#ends.get(runpodJob);
    return end && { ...end, losses: this.losses(runpodJob) };
  }

  /** How often the platform lost the worker of a job. */
  losses(runpodJob: string): number {
    return this.#losses.get(runpodJob) ?? 0;
  }

  /** Jobs that wait or run at RunPod. */
  get open(): number {
    return this.#open.size;
  }
}
