/**
 * What the client takes from its surroundings. Tests (and odd platforms) pass their own; everything in this package
 * that waits, rolls dice or names something does it through one of these.
 */
export interface Runtime {
  /** Milliseconds since any fixed moment. */
  now(): number;
  /** Calls back once after `ms` milliseconds; returns a function that prevents it. */
  after(ms: number, callback: () => void): () => void;
  /** A number in [0, 1), for jitter. */
  random(): number;
  /** An id nobody else will make, for idempotency keys. */
  uniqueId(): string;
}

const hex = (digits: number): string =>
  Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join("");

/** The platform's own clock, timers and randomness. */
export const systemRuntime: Runtime = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  // React Native and pages without TLS have no crypto.randomUUID. A key only has to be unique among one user's
  // requests, so plain randomness is enough there.
  uniqueId: () =>
    typeof globalThis.crypto?.randomUUID === "function"
      ? globalThis.crypto.randomUUID()
      : `${Date.now().toString(16)}-${hex(24)}`,
};

/**
 * Milliseconds to wait before try number `attempt` (0 for the first repetition): exponential with full jitter, at
 * most `capMs`, so that clients who failed together don't come back together.
 */
export const backoff = (runtime: Runtime, attempt: number, baseMs: number, capMs: number): number =>
  Math.ceil(runtime.random() * Math.min(capMs, baseMs * 2 ** attempt));
