import type { Clock, OutsideWork } from "../time/clock.ts";

/**
 * A call that is being answered. Virtual time stands still for it, except while it waits here, so that an answer
 * is given at the very moment that it is due.
 */
export class OpenCall {
  readonly #clock: Clock;
  readonly #hungUp: AbortSignal;
  #work: OutsideWork | undefined;

  /** `hungUp` is aborted when the caller is gone. */
  constructor(clock: Clock, hungUp: AbortSignal) {
    this.#clock = clock;
    this.#hungUp = hungUp;
  }

  /** The work that ends with the answer. To be called once, before anything waits. */
  answering<T>(answer: () => Promise<T>): Promise<T> {
    // Begins a moment later, when the work is known that its waits belong to.
    const work = Promise.resolve().then(answer);
    this.#work = this.#clock.outside(work, () => {});
    return work;
  }

  get isGone(): boolean {
    return this.#hungUp.aborted;
  }

  /** Waits until `done` is called. `start` gets the caller's signal as well. */
  until<T>(start: (done: (value: T) => void, hungUp: AbortSignal) => void): Promise<T> {
    return new Promise((resolve) => {
      this.#work?.park();
      start((value) => {
        this.#work?.resume();
        resolve(value);
      }, this.#hungUp);
    });
  }

  /** Waits so long, or until something happens or the caller hangs up. `happens` returns how to stop waiting. */
  wait(ms: number, happens: (done: () => void) => () => void = () => () => {}): Promise<void> {
    return this.until((done, hungUp) => {
      const end = () => {
        timer.cancel();
        stopWaiting();
        hungUp.removeEventListener("abort", end);
        done();
      };
      const timer = this.#clock.after(ms, end);
      const stopWaiting = happens(end);
      hungUp.addEventListener("abort", end);
    });
  }
}
