import type { DenoWorker } from "./deno-worker.ts";
import type { FunctionConfig } from "./function-config.ts";

interface Slot {
  worker: Promise<DenoWorker>;
  /** Requests that wait for the process or for its answer. */
  inFlight: number;
  /** Whether it has answered any request, be it with an error. */
  hasAnswered: boolean;
  retired: boolean;
}

/** What a paid hosted project gives a worker; a retired one may finish its work in it. */
const WALL_CLOCK_MS = 400_000;
const CLOSE_GRACE_MS = 1000;

/** At most one current process a function, and the retired ones until they end. */
export class FunctionPool {
  readonly #current = new Map<string, Slot>();
  readonly #retired = new Set<Slot>();
  readonly #start: (config: FunctionConfig) => Promise<DenoWorker>;

  constructor(start: (config: FunctionConfig) => Promise<DenoWorker>) {
    this.#start = start;
  }

  /** Runs `work` with the function's process, starting it if need be. Rejects as the start or `work` does. */
  async use<T>(config: FunctionConfig, work: (worker: DenoWorker) => Promise<T>): Promise<T> {
    const slot = this.#current.get(config.name) ?? this.#open(config);
    slot.inFlight += 1;
    try {
      const result = await work(await slot.worker);
      slot.hasAnswered = true;
      return result;
    } finally {
      slot.inFlight -= 1;
      this.#endIfDone(slot);
    }
  }

  /** The next request meets a new process; the present one ends when it has nothing left to do. */
  retire(name: string): void {
    const slot = this.#current.get(name);
    if (!slot) return;
    this.#current.delete(name);
    this.#retired.add(slot);
    slot.retired = true;
    this.#endIfDone(slot);
  }

  retireAll(): void {
    for (const name of [...this.#current.keys()]) this.retire(name);
  }

  /** SIGKILL; false when no process runs, or one that has not answered anything yet. */
  async kill(name: string): Promise<boolean> {
    const slot = this.#current.get(name);
    if (!slot?.hasAnswered) return false;
    const worker = await slot.worker;
    if (!worker.child.running) return false;
    worker.child.kill("SIGKILL");
    await worker.child.exited;
    return true;
  }

  /** Ends all processes, present and retired. */
  async close(): Promise<void> {
    this.retireAll();
    await Promise.all([...this.#retired].map((slot) => this.#end(slot, CLOSE_GRACE_MS)));
  }

  #open(config: FunctionConfig): Slot {
    const slot: Slot = { worker: this.#start(config), inFlight: 0, hasAnswered: false, retired: false };
    this.#current.set(config.name, slot);
    const forget = () => {
      if (this.#current.get(config.name) === slot) this.#current.delete(config.name);
      this.#retired.delete(slot);
    };
    slot.worker.then(({ child }) => child.exited).then(forget, forget);
    return slot;
  }

  #endIfDone(slot: Slot): void {
    if (slot.retired && slot.inFlight === 0) void this.#end(slot, WALL_CLOCK_MS);
  }

  /** The process answers what is under way and waits for its background work before it obeys. */
  async #end(slot: Slot, graceMs: number): Promise<void> {
    // One that did not start has nothing to be ended.
    const worker = await slot.worker.catch(() => undefined);
    await worker?.child.stop("SIGTERM", graceMs);
  }
}
