import { createRandom } from "@podbase/simulator";
import { FAULT_NAMES, FAULTS, type FaultName } from "./faults.ts";

/** One hit of a class of faults. Times in ms since the first request. */
export interface Hit {
  fault: FaultName;
  atMs: number;
  /** Infinity: until all jobs have ended. */
  forMs: number;
}

/** Alone, the first hit comes early, so that a short run has one. */
const FIRST_ALONE_MS = [100, 500] as const;

/**
 * When which fault strikes while requests are made, which takes `stormMs`: every class by itself, from the seed alone.
 * With `only` that class, harder.
 */
export function scheduleOf(seed: string, stormMs: number, only?: FaultName): Hit[] {
  const random = createRandom(`${seed}/schedule`);
  const hits = FAULT_NAMES.flatMap((fault) => {
    const draws = random.stream(fault);
    const { everyMs, forMs, lasting } = FAULTS[fault];
    if (only !== undefined && fault !== only) return [];
    if (only && lasting) return [{ fault, atMs: 0, forMs: Number.POSITIVE_INFINITY }];
    const found: Hit[] = [];
    let atMs = draws.within(only ? FIRST_ALONE_MS : everyMs);
    while (atMs < stormMs) {
      const lasts = Math.min(draws.within(forMs), Math.round(stormMs / 2));
      found.push({ fault, atMs, forMs: lasts });
      atMs += lasts + draws.within(everyMs);
    }
    return found;
  });
  return hits.sort((a, b) => a.atMs - b.atMs);
}
