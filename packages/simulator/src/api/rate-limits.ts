import type { RateLimit } from "../core/settings.ts";

const WINDOW_MS = 10_000;

interface Usage {
  windowStart: number;
  calls: number;
  underWay: number;
}

/** Counts calls by endpoint and operation, in windows of 10 s. */
export class RateLimits {
  readonly #limits: Readonly<Record<string, RateLimit>>;
  readonly #now: () => number;
  readonly #usage = new Map<string, Usage>();

  constructor(limits: Readonly<Record<string, RateLimit>>, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * Lets a call in and returns what to call at its end; undefined: refused. The limit grows with the workers at
   * work (docs, send-requests: dynamic rate limits; the share of each worker is that of the docs before 2025).
   */
  enter(endpoint: string, operation: string, running: number): (() => void) | undefined {
    const limit = this.#limits[operation];
    if (!limit) return () => {};
    const key = `${endpoint}/${operation}`;
    const usage = this.#usage.get(key) ?? { windowStart: this.#now(), calls: 0, underWay: 0 };
    this.#usage.set(key, usage);
    if (this.#now() - usage.windowStart >= WINDOW_MS) {
      usage.windowStart = this.#now();
      usage.calls = 0;
    }
    const { per10s, concurrent } = limit;
    if (per10s > 0 && usage.calls >= Math.max(per10s, running * concurrent)) return undefined;
    if (concurrent > 0 && usage.underWay >= concurrent) return undefined;
    usage.calls++;
    usage.underWay++;
    return () => {
      usage.underWay--;
    };
  }
}
