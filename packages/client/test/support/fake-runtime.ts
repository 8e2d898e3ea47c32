import type { Runtime } from "../../src/runtime.ts";

/** A clock that moves only when told to, with dice that always fall the same. */
export interface FakeRuntime extends Runtime {
  /** Lets this much time pass: timers fire in order, and what they started goes as far as it can. */
  advance(ms: number): Promise<void>;
  /** The device's clock is set, to so much later; timers run on as they were. */
  shiftClock(ms: number): void;
  /** Lets everything that needs no time happen. */
  settle(): Promise<void>;
  /** Timers that have not fired. */
  pending(): number;
}

const macrotask = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** `random` is what the dice show: 1 (just below) makes every back-off as long as it can be. */
export const createFakeRuntime = (random = 0.999_999): FakeRuntime => {
  let now = 1_000_000;
  let shift = 0;
  let ids = 0;
  const timers = new Set<{ at: number; callback: () => void }>();

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await macrotask();
  };

  return {
    now: () => now + shift,
    random: () => random,
    uniqueId: () => `generated-${++ids}`,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    shiftClock(ms) {
      shift += ms;
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const next = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.callback();
        await settle();
      }
      now = end;
    },
    settle,
    pending: () => timers.size,
  };
};
