import type { Timer } from "../time/clock.ts";
import type { World } from "./world.ts";

const DAY_MS = 86_400_000;

/** What RunPod does to an endpoint without requests (docs, endpoint configurations: max workers). */
const STEPS = [
  { afterMs: 3 * DAY_MS, workersMax: 2 },
  { afterMs: 7 * DAY_MS, workersMax: 0 },
] as const;

/** Lowers an endpoint's maximum of workers when nobody asks anything of it. It stays low until raised by hand. */
export class IdleShrink {
  readonly #world: World;
  readonly #shrink: (workersMax: number) => void;
  #lastRequest: number;
  #step = 0;
  #timer: Timer | undefined;

  constructor(world: World, shrink: (workersMax: number) => void) {
    this.#world = world;
    this.#shrink = shrink;
    this.#lastRequest = world.clock.now();
    this.#plan();
  }

  /** A job was submitted. */
  requested(): void {
    this.#lastRequest = this.#world.clock.now();
    if (this.#step === 0) return;
    this.#step = 0;
    this.#plan();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #plan(): void {
    this.#timer?.cancel();
    const step = STEPS[this.#step];
    if (!step) return;
    const dueAt = this.#lastRequest + step.afterMs;
    this.#timer = this.#world.clock.after(dueAt - this.#world.clock.now(), () => {
      // Requests don't move the timer, as there are many of them: it finds out when it strikes.
      if (this.#world.clock.now() - this.#lastRequest >= step.afterMs) {
        this.#step++;
        this.#shrink(step.workersMax);
      }
      this.#plan();
    });
  }
}
