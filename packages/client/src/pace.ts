import type { ConnectionState } from "./connection.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Runtime } from "./runtime.ts";

/** What just broke is soon whole again, as a rule: for so long after its loss Realtime is replaced at the quick pace. */
const FRESH_MS = 10_000;
const FRESH_PACE_MS = 1_000;
/** A socket that has said nothing for so long is asked whether it lives: while work goes on that it should tell of… */
const BUSY_QUIET_MS = 600;
/** …while all only waits… */
const QUIET_MS = 2_000;
/** …and where each question costs a new token. */
const RESTLESS_QUIET_MS = 25_000;

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
  /** Whether something is worked on, and so may change at any moment. */
  isBusy(): boolean;
  /** Whether each look at the session renews its token. */
  isRestless(): boolean;
}

/** How often to read everything, by how changes arrive. */
export interface Pace {
  /** Realtime does not tell of changes for now. */
  lose(): void;
  /** Milliseconds from one reading to the next; null for never. */
  everyMs(): number | null;
  /** For how long the socket may say nothing before it is asked whether it lives; null while nobody looks. */
  quietMs(): number | null;
}

/** Makes the {@link Pace} of a client. */
export const createPace = (ports: PacePorts): Pace => {
  const { runtime, lifecycle, connection, poll, isBusy, isRestless } = ports;
  let lostAt = Number.NEGATIVE_INFINITY;
  return {
    lose() {
      if (connection.get() === "live") lostAt = runtime.now();
      connection.set(poll === false ? "connecting" : "polling");
    },
    quietMs() {
      if (lifecycle.isHidden()) return null;
      return isRestless() ? RESTLESS_QUIET_MS : isBusy() ? BUSY_QUIET_MS : QUIET_MS;
    },
    everyMs() {
      if (poll === false) return null;
      if (connection.get() === "live" || lifecycle.isHidden()) return poll.joinedMs;
      return runtime.now() - lostAt < FRESH_MS ? Math.min(FRESH_PACE_MS, poll.unjoinedMs) : poll.unjoinedMs;
    },
  };
};
