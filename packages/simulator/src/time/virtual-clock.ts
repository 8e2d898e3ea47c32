import type { Clock, OutsideWork, Timer } from "./clock.ts";
import { TimerQueue } from "./timer-queue.ts";

/** A clock that stands still until told to move. */
export interface VirtualClock extends Clock {
  /**
   * Moves time forward by `ms`, running every call due on the way at its own time, and waiting for outside
   * work before each step. `advance(0)` only waits. Calls queue up behind one another.
   */
  advance(ms: number): Promise<void>;
}

interface Work {
  order: number;
  /** Hands over the end, once there is one. */
  deliver: (() => void) | undefined;
}

/**
 * A virtual clock that starts at `startMs`. Outside work that neither ends nor parks within `patienceMs` of
 * real time (a receiver that never answers) is taken to wait for the clock, and time moves on.
 */
export const virtualClock = ({ startMs = 0, patienceMs = 5000 } = {}): VirtualClock => {
  const queue = new TimerQueue();
  const pending = new Set<Work>();
  let time = startMs;
  let order = 0;
  let ended: Work[] = [];
  let quiet: (() => void) | undefined;
  let lastAdvance = Promise.resolve();

  const release = (work: Work) => {
    if (pending.delete(work) && pending.size === 0) quiet?.();
  };

  const quietOrImpatient = () =>
    new Promise<void>((resolve) => {
      const patience = setTimeout(() => {
        pending.clear();
        quiet?.();
      }, patienceMs);
      quiet = () => {
        clearTimeout(patience);
        quiet = undefined;
        resolve();
      };
    });

  const settle = async () => {
    while (pending.size > 0 || ended.length > 0) {
      if (pending.size > 0) await quietOrImpatient();
      const batch = ended.sort((a, b) => a.order - b.order);
      ended = [];
      for (const work of batch) work.deliver?.();
    }
  };

  const advanceTo = async (target: () => number) => {
    await settle();
    const until = target();
    for (let next = queue.nextAt(); next !== undefined && next <= until; next = queue.nextAt()) {
      time = Math.max(time, next);
      queue.take()?.();
      await settle();
    }
    time = until;
  };

  return {
    now: () => time,
    ofReal: (ms) => ms,
    after: (delayMs, run): Timer => queue.add(time + delayMs, run),
    outside(promise, settled): OutsideWork {
      const work: Work = { order: order++, deliver: undefined };
      pending.add(work);
      void Promise.allSettled([promise]).then(([result]) => {
        work.deliver = () => settled(result);
        ended.push(work);
        release(work);
      });
      return {
        park: () => release(work),
        resume: () => {
          if (!work.deliver) pending.add(work);
        },
      };
    },
    advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`time moves forward only, got ${ms}`);
      const moved = lastAdvance.then(() => advanceTo(() => time + ms));
      lastAdvance = moved.catch(() => undefined);
      return moved;
    },
  };
};
