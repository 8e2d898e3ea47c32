import type { Runtime } from "./runtime.ts";

/** The server's clock, as far as it is known. Devices may be hours off, and every time in a job is the server's. */
export interface ServerClock {
  /** Milliseconds since the epoch; by the device's own clock until the server's was heard. */
  now(): number;
  /** Takes in what the server called now (ISO 8601) in an answer to a question of `askedAt`, by the runtime's clock. */
  learn(iso: string, askedAt: number): void;
}

/** Makes a {@link ServerClock}. */
export const createServerClock = (runtime: Runtime): ServerClock => {
  let ahead: number | null = null;
  return {
    now: () => (ahead === null ? Date.now() : runtime.now() + ahead),
    learn(iso, askedAt) {
      const then = Date.parse(iso);
      // As if the answer was made half way.
      if (!Number.isNaN(then)) ahead = then - (askedAt + runtime.now()) / 2;
    },
  };
};
