import { createRandom } from "@podbase/simulator";
import { FAULT_NAMES, FAULTS, type FaultName } from "./faults.ts";

/** One hit of a class of faults. Times in ms since the first request. */
export interface Hit {
  fault: FaultName;
  atMs: number;
  /** Infinity: until all jobs have ended. */
  forMs: number;
}

/** Alone, the first hit comes early, so that a short run has one, and the others are so many times as frequent. */
const FIRST_ALONE_MS = [100, 500] as const;
const DENSER_ALONE = 4;

/**
 * When which fault strikes in a storm of `stormMs` at most: every class by itself, from the seed alone. With `only` that
 * class, from the beginning.
 */
export function scheduleOf(seed: string, stormMs: number, only?: FaultName): Hit[] {
  const random = createRandom(`${seed}/schedule`);
  const hits = FAULT_NAMES.flatMap((fault) => {
    const draws = random.stream(fault);
    const { everyMs, forMs, lasting } = FAULTS[fault];
    if (only !== undefined && fault !== only) return [];
    if (only && lasting) return [{ fault, atMs: 0, forMs: Number.POSITIVE_INFINITY }];
    const found: Hit[] = [];
    // Early enough that no class is missing from a short run.
    const early = draws.within([0, Math.round(stormMs / 4)]);
    let atMs = only ? draws.within(FIRST_ALONE_MS) : Math.min(draws.within(everyMs), early);
    while (atMs < stormMs) {
      const lasts = Math.min(draws.within(forMs), Math.round(stormMs / 4));
      found.push({ fault, atMs, forMs: lasts });
      atMs += lasts + Math.round(draws.within(everyMs) / (only ? DENSER_ALONE : 1));
    }
    return found;
  });
  return hits.sort((a, b) => a.atMs - b.atMs);
}
