import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom } from "@podbase/simulator";
import type { Arena } from "./arena.ts";
import type { FaultName } from "./faults.ts";
import { injectAll, PROVIDER_FAULTS } from "./provider-faults.ts";
import type { Hit } from "./schedule.ts";
import { STACK_FAULTS, type Strike } from "./stack-faults.ts";

const TRIES = 240;
const PAUSE_MS = 250;

/** Faults under way. */
export interface Storm {
  /** How often each class struck so far. */
  counts: Partial<Record<FaultName, number>>;
  /** Rejects if a fault could not be brought about. */
  failure: Promise<never>;
  /** No further hits; resolves when those under way have ended, all but what lasts. */
  calm(): Promise<void>;
  /** Lifts what lasts. */
  end(): Promise<void>;
}

/** Lets the hits of a schedule come down on the arena, from now on until `calm`. */
export function startStorm(arena: Arena, hits: Hit[], seed: string): Storm {
  const counts: Storm["counts"] = {};
  const random = createRandom(`${seed}/storm`);
  const lasting: (() => Promise<void> | void)[] = [];
  const waiting = new Set<FaultName>();
  const calming = new AbortController();
  // One for each hit that is to come.
  setMaxListeners(hits.length, calming.signal);

  const strike = async (hit: Hit, place: number) => {
    await delay(hit.atMs, undefined, { signal: calming.signal }).catch(() => {});
    // Who waits for something to strike would otherwise strike with all that came meanwhile, and again at once.
    if (calming.signal.aborted || waiting.has(hit.fault)) return;
    const draws = random.stream(String(place));
    const count = () => {
      counts[hit.fault] = (counts[hit.fault] ?? 0) + 1;
    };
    if (hit.forMs === 0) waiting.add(hit.fault);
    const lift = await begin(arena, hit.fault, draws, count, calming.signal);
    waiting.delete(hit.fault);
    if (!lift) return;
    if (hit.forMs === Number.POSITIVE_INFINITY) {
      lasting.push(lift);
      return;
    }
    await delay(hit.forMs);
    await persist(lift);
  };
  const over = Promise.all(hits.map(strike));
  // One that can't be brought about ends the others as well.
  over.catch(() => calming.abort());
  return {
    counts,
    failure: over.then(() => new Promise<never>(() => {})),
    async calm() {
      calming.abort();
      await over;
    },
    async end() {
      for (const lift of lasting.splice(0)) await persist(lift);
    },
  };
}

type Draws = ReturnType<typeof createRandom>;

async function begin(
  arena: Arena,
  fault: FaultName,
  draws: Draws,
  count: () => void,
  signal: AbortSignal,
): Promise<(() => Promise<void> | void) | undefined> {
  if (fault in PROVIDER_FAULTS) {
    return injectAll(arena.simulator, fault as keyof typeof PROVIDER_FAULTS, draws, count);
  }
  const strike: Strike = STACK_FAULTS[fault as keyof typeof STACK_FAULTS];
  const lift = await persist(() => strike(arena, draws, signal));
  if (lift === "missed") return undefined;
  count();
  return lift;
}

/** Faults meet other faults: the database that a fault needs may be restarting, for a minute on a busy machine. */
async function persist<T>(act: () => T | Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await act();
    } catch (error) {
      if (tries >= TRIES) throw error;
      await delay(PAUSE_MS);
    }
  }
}
