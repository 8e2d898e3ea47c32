import type { Clock } from "./clock.ts";
import { TimerQueue } from "./timer-queue.ts";

/** `setTimeout` fires at once when asked for more. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * The wall clock, `speed` times as fast. Everything the simulator times runs on it but what the world outside is
 * given: how long a webhook's receiver may take, how long a worker program may be silent. Work outside (handlers,
 * HTTP) does not get faster and so looks `speed` times as long.
 */
export const realClock = (speed = 1): Clock => {
  if (!(speed > 0)) throw new RangeError(`speed must be above 0, got ${speed}`);
  const queue = new TimerQueue();
  const start = Date.now();
  const origin = performance.now();
  let handle: NodeJS.Timeout | undefined;
  const now = () => Math.round(start + (performance.now() - origin) * speed);

  const arm = () => {
    clearTimeout(handle);
    const next = queue.nextAt();
    if (next === undefined) return;
    handle = setTimeout(fire, Math.min(Math.max((next - now()) / speed, 0), LONGEST_TIMEOUT_MS));
  };
  const fire = () => {
    // Only what is due now: a call that schedules another must let I/O in between.
    const until = now();
    for (let next = queue.nextAt(); next !== undefined && next <= until; next = queue.nextAt()) {
      queue.take()?.();
    }
    arm();
  };

  return {
    now,
    ofReal: (ms) => ms * speed,
    after(delayMs, run) {
      const timer = queue.add(now() + delayMs, run);
      arm();
      return {
        cancel() {
          timer.cancel();
          arm();
        },
      };
    },
    outside(work, settled) {
      void Promise.allSettled([work]).then(([result]) => settled(result));
      return { park() {}, resume() {} };
    },
  };
};
