/** A scheduled call. Cancelling after it ran does nothing. */
export interface Timer {
  cancel(): void;
}

/** Work that goes on outside the clock: a handler, an HTTP call. */
export interface OutsideWork {
  /** The work now waits for the clock itself: time may move on without it. */
  park(): void;
  /** The work goes on: virtual time waits for it again. */
  resume(): void;
}

/**
 * Time as the simulator sees it. The core uses nothing else, so it runs the same code in real and in virtual
 * time. All times are milliseconds; `now()` is since the Unix epoch for a real clock and since the clock's
 * start for a virtual one.
 */
export interface Clock {
  now(): number;
  /** How much of this clock's time passes in so many real milliseconds: what the world outside is given. */
  ofReal(ms: number): number;
  /** Runs `run` once, `delayMs` from now. Calls due at the same time run in the order they were asked for. */
  after(delayMs: number, run: () => void): Timer;
  /**
   * Watches a promise and calls `settled` with its end. A virtual clock stands still until then (unless the
   * work is parked) and hands over ends in the order the work began, whichever was faster.
   */
  outside<T>(work: Promise<T>, settled: (result: PromiseSettledResult<T>) => void): OutsideWork;
}
