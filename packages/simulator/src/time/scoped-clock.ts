import type { Clock, Timer } from "./clock.ts";

/** A clock whose owner can end everything it started. */
export interface ScopedClock extends Clock {
  /** Cancels what is scheduled; from here on nothing it is asked for happens. */
  close(): void;
}

/** A view of a clock, which may be shared with others. */
export const scopedClock = (clock: Clock): ScopedClock => {
  const timers = new Set<Timer>();
  let closed = false;
  return {
    now: () => clock.now(),
    ofReal: (ms) => clock.ofReal(ms),
    after(delayMs, run) {
      if (closed) return { cancel() {} };
      const timer = clock.after(delayMs, () => {
        timers.delete(timer);
        run();
      });
      timers.add(timer);
      return {
        cancel() {
          timers.delete(timer);
          timer.cancel();
        },
      };
    },
    outside: (work, settled) =>
      clock.outside(work, (result) => {
        if (!closed) settled(result);
      }),
    close() {
      closed = true;
      for (const timer of timers) timer.cancel();
      timers.clear();
    },
  };
};
