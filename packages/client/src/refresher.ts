import { PodbaseError } from "./errors.ts";
import { backoff, type Runtime } from "./runtime.ts";
import { YOUNG_MS } from "./soon.ts";

/** A burst of messages costs one read: the first waits this long for the others. */
const COALESCE_MS = 30;
/** Jobs that change without pause are read at most about this often. */
const COALESCE_CAP_MS = 1_000;
const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** A read without an answer for this long has lost its connection, as phones do when they change networks… */
const READ_TIMEOUT_MS = 5_000;
/** …or is on a slow one: each failure in a row gives the next read more time, up to this. */
const READ_TIMEOUT_CAP_MS = 20_000;

/** What a {@link Refresher} needs. */
export interface RefresherPorts {
  runtime: Runtime;
  /** Reads everything in view, or only what is stale, and applies it. Rejects when that failed. */
  read(everything: boolean, signal: AbortSignal): Promise<void>;
  /** Whether something waits to be read. */
  hasStale(): boolean;
  /** Milliseconds from one full read to the next; null while no polling is due. */
  pollEveryMs(): number | null;
  /** Told about every read that failed; the refresher goes on by itself. */
  onProblem(error: unknown): void;
}

/** Decides when to read. One read at a time; failures back off; a full read is repeated as often as the poll says. */
export interface Refresher {
  /** Read everything now: whatever was heard so far may be incomplete. Ends a back-off. */
  everything(): void;
  /** The same after a sleep: a read that is under way from before it is given up. */
  anew(): void;
  /** Something became stale, or the poll's pace changed: think again about what is due. */
  reconsider(): void;
  /** Something was asked for the first time; read it without waiting for company. */
  promptly(): void;
  /** What made readings fail may be over: ends a back-off. */
  retryNow(): void;
  /** Drop what is under way and forget all plans. */
  reset(): void;
}

/** Makes the one {@link Refresher} of a client. */
export const createRefresher = ({
  runtime,
  read,
  hasStale,
  pollEveryMs,
  onProblem,
}: RefresherPorts): Refresher => {
  let wantsEverything = false;
  let staleSince: number | null = null;
  let rereads = 0;
  let failures = 0;
  let retryAt = 0;
  let lastFullAt = runtime.now();
  let underway: { controller: AbortController; since: number } | null = null;
  let timer: { due: number; cancel(): void } | null = null;

  const pollDue = (): number => {
    // The clock was set back: it does not tell any more how long ago that was.
    if (lastFullAt > runtime.now()) lastFullAt = Number.NEGATIVE_INFINITY;
    const pace = pollEveryMs();
    return pace === null ? Number.POSITIVE_INFINITY : lastFullAt + pace;
  };

  const nextDue = (): number => {
    if (failures > 0) return retryAt;
    if (wantsEverything) return Number.NEGATIVE_INFINITY;
    const poll = pollDue();
    if (!hasStale()) {
      staleSince = null;
      rereads = 0;
      return poll;
    }
    staleSince ??= runtime.now();
    return Math.min(poll, staleSince + Math.min(COALESCE_CAP_MS, COALESCE_MS * 2 ** rereads));
  };

  const plan = (): void => {
    if (underway) return;
    const due = nextDue();
    if (timer?.due === due) return;
    timer?.cancel();
    timer =
      due === Number.POSITIVE_INFINITY
        ? null
        : { due, cancel: runtime.after(Math.max(0, due - runtime.now()), () => void run()) };
  };

  const run = async (): Promise<void> => {
    const everything = wantsEverything || runtime.now() >= pollDue();
    const controller = new AbortController();
    const { signal } = controller;
    const patience = Math.min(READ_TIMEOUT_CAP_MS, READ_TIMEOUT_MS * 2 ** failures);
    const cancelTimeout = runtime.after(patience, () => controller.abort());
    timer = null;
    const mine = { controller, since: runtime.now() };
    underway = mine;
    wantsEverything = false;
    try {
      // What waits for a token (auth-js) does not hear the signal.
      await Promise.race([read(everything, signal), aborted(signal)]);
      if (underway !== mine) return;
      failures = 0;
    } catch (error) {
      if (underway !== mine) return;
      wantsEverything ||= everything;
      retryAt = runtime.now() + backoff(runtime, failures++, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
      onProblem(error);
    } finally {
      cancelTimeout();
    }
    if (everything) lastFullAt = runtime.now();
    staleSince = null;
    rereads++;
    underway = null;
    plan();
  };

  const everything = (): void => {
    wantsEverything = true;
    failures = 0;
    plan();
  };

  return {
    everything,
    anew() {
      if (underway && runtime.now() - underway.since > YOUNG_MS) {
        underway.controller.abort();
        underway = null;
      }
      everything();
    },
    reconsider: plan,
    promptly() {
      staleSince = Number.NEGATIVE_INFINITY;
      plan();
    },
    retryNow() {
      // A reading under way has what is new already; asking again after each would never end where every reading renews
      // the token, as on devices with a wrong clock.
      if (failures === 0 || underway) return;
      failures = 0;
      plan();
    },
    reset() {
      timer?.cancel();
      timer = null;
      underway?.controller.abort();
      underway = null;
      wantsEverything = false;
      staleSince = null;
      rereads = failures = 0;
      lastFullAt = runtime.now();
    },
  };
};

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () =>
      reject(new PodbaseError("network", "no answer to a reading of jobs")),
    );
  });
