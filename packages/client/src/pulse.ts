import type { SupabaseClient } from "@supabase/supabase-js";
import type { Runtime } from "./runtime.ts";

/** A socket that has not answered for this long is doubted: what it should tell is asked for elsewhere meanwhile. */
const DOUBT_MS = 350;
/** After so long it is given up. */
const ANSWER_MS = 2_000;

/** What a {@link Pulse} needs. */
export interface PulsePorts {
  realtime: SupabaseClient["realtime"];
  runtime: Runtime;
  /** How long it may say nothing before it is asked whether it lives; null to let a dead one be, and the radio asleep. */
  quietMs(): number | null;
  /** It does not answer, or not soon. */
  onDoubt(): void;
  /** It did after all. */
  onAnswer(): void;
}

/** Finds sockets that are open but dead, as after a change of networks, long before their own heartbeat does. */
export interface Pulse {
  /** Begins to listen for it. */
  start(): void;
  /** Something came through the socket. */
  heard(): void;
  /** How long it may be quiet may have changed. */
  reconsider(): void;
  /** The app woke up: ask at once. */
  ask(): void;
  stop(): void;
}

/**
 * supabase-js beats every 25 s. A beat that is sent while the one before has no answer makes it drop the socket and connect
 * anew (phoenix, Socket.sendHeartbeat); its channels tell of an error and join again. Not with the option
 * `realtime: { worker: true }`, whose beats can't be seen from here.
 */
export const createPulse = ({ realtime, runtime, quietMs, onDoubt, onAnswer }: PulsePorts): Pulse => {
  let beating = false;
  let timer: (() => void) | null = null;
  /** On slow networks answers that come late are no reason to doubt. */
  let doubtMs = DOUBT_MS;
  /** How long it may be quiet, as the timer has it. */
  let quiet: number | null = null;

  const wait = (ms: number, callback: () => void): void => {
    timer?.();
    timer = runtime.after(ms, () => {
      timer = null;
      callback();
    });
  };

  const rest = (sinceMs = 0): void => {
    quiet = beating ? quietMs() : null;
    if (quiet !== null) wait(Math.max(0, quiet - sinceMs), ask);
  };

  const beat = (): void => {
    realtime.sendHeartbeat().catch(() => {
      // A socket that fails while it is asked says so to its channels.
    });
  };

  const ask = (): void => {
    if (!beating || quietMs() === null) return;
    quiet = null;
    if (realtime.worker || !realtime.isConnected()) {
      wait(ANSWER_MS, rest);
      return;
    }
    if (realtime.pendingHeartbeatRef === null) beat();
    const asked = realtime.pendingHeartbeatRef;
    const isOpen = () => asked !== null && realtime.pendingHeartbeatRef === asked;
    wait(doubtMs, () => {
      if (!isOpen()) return rest(doubtMs);
      onDoubt();
      wait(ANSWER_MS - doubtMs, () => {
        if (isOpen()) beat();
        else {
          doubtMs = Math.min(2 * doubtMs, ANSWER_MS);
          onAnswer();
        }
        rest();
      });
    });
  };

  return {
    start() {
      beating = true;
      doubtMs = DOUBT_MS;
      rest();
    },
    heard: () => rest(),
    reconsider() {
      const shorter = quiet !== null && (quietMs() ?? quiet) < quiet;
      if (!timer || shorter) rest();
    },
    ask,
    stop() {
      beating = false;
      timer?.();
      timer = null;
    },
  };
};
