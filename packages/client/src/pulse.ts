import type { SupabaseClient } from "@supabase/supabase-js";
import type { Runtime } from "./runtime.ts";

/** A socket that has said nothing for this long is asked whether it lives. */
const QUIET_MS = 2_000;
/** It has this long to answer. */
const ANSWER_MS = 2_000;

/** What a {@link Pulse} needs. */
export interface PulsePorts {
  realtime: SupabaseClient["realtime"];
  runtime: Runtime;
  /** Whether anybody looks: else a dead socket may stay dead, and the radio asleep. */
  isWanted(): boolean;
}

/** Finds sockets that are open but dead, as after a change of networks, long before their own heartbeat does. */
export interface Pulse {
  /** Begins to listen for it. */
  start(): void;
  /** Something came through the socket. */
  heard(): void;
  /** Whether anybody looks may have changed. */
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
export const createPulse = ({ realtime, runtime, isWanted }: PulsePorts): Pulse => {
  let beating = false;
  let timer: (() => void) | null = null;

  const wait = (ms: number, callback: () => void): void => {
    timer?.();
    timer = runtime.after(ms, () => {
      timer = null;
      callback();
    });
  };

  const rest = (): void => {
    if (beating && isWanted()) wait(QUIET_MS, ask);
  };

  const beat = (): void => {
    realtime.sendHeartbeat().catch(() => {
      // A socket that fails while it is asked says so to its channels.
    });
  };

  const ask = (): void => {
    if (!beating || !isWanted()) return;
    const canAsk = !realtime.worker && realtime.isConnected();
    if (canAsk && realtime.pendingHeartbeatRef === null) beat();
    const asked = canAsk ? realtime.pendingHeartbeatRef : null;
    wait(ANSWER_MS, () => {
      if (asked !== null && realtime.pendingHeartbeatRef === asked) beat();
      rest();
    });
  };

  return {
    start() {
      beating = true;
      rest();
    },
    heard: rest,
    reconsider() {
      if (!timer) rest();
    },
    ask,
    stop() {
      beating = false;
      timer?.();
      timer = null;
    },
  };
};
