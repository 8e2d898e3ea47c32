import type { ConnectionState } from "./connection.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Runtime } from "./runtime.ts";

/** What just broke is soon whole again, as a rule: for so long after its loss Realtime is replaced at the quick pace. */
const FRESH_MS = 10_000;
const FRESH_PACE_MS = 1_000;

/** How often to ask for changes while something is open, in milliseconds. */
export interface PollPace {
  /** While Realtime is joined: what was lost is found this late at the latest. */
  joinedMs: number;
  /** While it is not; every second at first. */
  unjoinedMs: number;
}

/** What a {@link Pace} needs. */
export interface PacePorts {
  runtime: Runtime;
  lifecycle: Lifecycle;
  connection: ConnectionState;
  poll: PollPace | false;
}

/** How often to read everything, by how changes arrive. */
export interface Pace {
  /** Realtime does not tell of changes for now. */
  lose(): void;
  /** Milliseconds from one reading to the next; null for never. */
  everyMs(): number | null;
}

/** Makes the {@link Pace} of a client. */
export const createPace = ({ runtime, lifecycle, connection, poll }: PacePorts): Pace => {
  let lostAt = Number.NEGATIVE_INFINITY;
  return {
    lose() {
      if (connection.get() === "live") lostAt = runtime.now();
      connection.set(poll === false ? "connecting" : "polling");
    },
    everyMs() {
      if (poll === false) return null;
      if (connection.get() === "live" || lifecycle.isHidden()) return poll.joinedMs;
      return runtime.now() - lostAt < FRESH_MS ? Math.min(FRESH_PACE_MS, poll.unjoinedMs) : poll.unjoinedMs;
    },
  };
};
