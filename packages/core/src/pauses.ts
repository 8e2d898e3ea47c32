import type { Clock } from "./ports.ts";

/** A pause after a 429 that names none, in ms. RunPod documents no Retry-After for its job API. */
const DEFAULT_MS = 2_000;
/** Longer ones are cut to this, in ms: results are kept for half an hour only (docs.runpod.io). */
const LONGEST_MS = 600_000;

/** Who asked to be left alone, and for how long. Lives as long as its process: a hint that saves calls, no more. */
export class Pauses {
  readonly #clock: Clock;
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is left of the pause of `name`, in ms; 0 without one. */
  left(name: string): number {
    const left = (this.#until.get(name) ?? 0) - this.#clock.now();
    if (left > 0) return Math.ceil(left);
    this.#until.delete(name);
    return 0;
  }

  /** Takes a Retry-After, in seconds or as a date (RFC 9110), from an answer that asks to slow down or is an outage. */
  heed(name: string, status: number, headers: Headers): void {
    if (status !== 429 && status !== 503) return;
    const value = headers.get("retry-after");
    const asked =
      value === null
        ? Number.NaN
        : /^\d+(\.\d+)?$/.test(value)
          ? Number(value) * 1000
          : Date.parse(value) - this.#clock.now();
    if (Number.isNaN(asked) && status === 503) return;
    const pause = Math.min(Number.isNaN(asked) ? DEFAULT_MS : Math.max(asked, 0), LONGEST_MS);
    this.#until.set(name, this.#clock.now() + pause);
  }
}
