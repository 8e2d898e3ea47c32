import type { RealtimeChannel, SupabaseClient } from "@supabase/supabase-js";
import { topicOf } from "./message.ts";
import { createPulse } from "./pulse.ts";
import { backoff, type Runtime } from "./runtime.ts";

const BACKOFF_BASE_MS = 1_000;
const BACKOFF_CAP_MS = 30_000;

/** What a {@link UserChannel} needs, and whom it tells. */
export interface UserChannelPorts {
  supabase: Pick<SupabaseClient, "channel" | "removeChannel" | "realtime">;
  runtime: Runtime;
  /** How long the socket may say nothing before it is asked whether it lives; null while nobody looks. */
  quietMs(): number | null;
  /** A broadcast came in. */
  onMessage(payload: unknown): void;
  /** Messages flow from now on; whatever happened before may have been missed. */
  onJoined(): void;
  /** Messages don't flow for now, or that is feared. */
  onLost(): void;
  /** They flow after all: the socket was only slow, and nothing is lost. */
  onFound(): void;
  /** Told what went wrong; the channel goes on by itself. */
  onProblem(error: unknown): void;
}

/** The one Realtime channel of the signed-in user. */
export interface UserChannel {
  /** Joins the topic of this user; leaves any other. */
  open(userId: string): void;
  /** Leaves the topic. */
  close(): void;
  /** How long the socket may be quiet may have changed. */
  reconsider(): void;
  /** The app is back in the foreground: connect again if the socket was disconnected or died meanwhile. */
  wake(): void;
}

/**
 * Keeps a private channel joined. supabase-js itself rejoins after CHANNEL_ERROR and TIMED_OUT and then reports
 * SUBSCRIBED again; after the server closed the channel (CLOSED: an expired token, too many messages) it does not, so
 * that one is made anew, with back-off.
 */
export const createUserChannel = (ports: UserChannelPorts): UserChannel => {
  const { supabase, runtime, quietMs, onMessage, onJoined, onLost, onFound, onProblem } = ports;
  const pulse = createPulse({
    realtime: supabase.realtime,
    runtime,
    quietMs,
    onDoubt: onLost,
    onAnswer() {
      if (channel?.state === "joined") onFound();
    },
  });
  let channel: RealtimeChannel | null = null;
  let userId: string | null = null;
  let cancelRetry = () => {};
  let closures = 0;
  let joinedAt: number | null = null;

  const retry = (): void => {
    channel = null;
    // Only a channel that lived for a while ends a row of closures: one that is closed right after each join must not
    // be made anew every second.
    if (joinedAt !== null && runtime.now() - joinedAt >= BACKOFF_CAP_MS) closures = 0;
    joinedAt = null;
    onLost();
    cancelRetry = runtime.after(backoff(runtime, closures++, BACKOFF_BASE_MS, BACKOFF_CAP_MS), tryToJoin);
  };

  const join = async (): Promise<void> => {
    const wanted = userId;
    // A private channel is joined as whoever the socket believes us to be (supabase.com/docs/guides/realtime/authorization).
    await supabase.realtime.setAuth();
    if (wanted === null || userId !== wanted || channel) return;
    const mine = supabase.channel(topicOf(wanted), {
      // replication_ready: joined is not yet connected to the database; the server says so in a system message
      // (supabase/realtime). What was sent in between is only in the rows.
      config: { private: true, broadcast: { self: false, ack: false, replication_ready: true } },
    });
    // supabase-js hands out a channel of that topic which is already in use (by a second Podbase on this client).
    if (mine.state !== "closed") {
      onProblem(
        new Error(`another channel is open on ${topicOf(wanted)}: make one Podbase per Supabase client`),
      );
      return retry();
    }
    channel = mine;
    mine.on("broadcast", { event: "job" }, ({ payload }) => {
      if (channel !== mine) return;
      pulse.heard();
      onMessage(payload);
    });
    mine.on("system", {}, (payload: { status?: string; message?: string }) => {
      if (channel !== mine) return;
      if (payload.status === "ok") onJoined();
      else onProblem(new Error(`Realtime: ${payload.message}`));
    });
    mine.subscribe((status, error) => {
      if (channel !== mine) return;
      if (error) onProblem(error);
      if (status === "SUBSCRIBED") {
        joinedAt ??= runtime.now();
        onJoined();
      } else if (status === "CLOSED") {
        retry();
      } else {
        onLost();
      }
    });
  };

  // Fails where there is no WebSocket (Node before 22 without realtime.transport); polling goes on meanwhile.
  const tryToJoin = (): void => {
    const wanted = userId;
    join().catch((error: unknown) => {
      onProblem(error);
      if (wanted === null || userId !== wanted) return;
      const mine = channel;
      channel = null;
      if (mine) void supabase.removeChannel(mine);
      retry();
    });
  };

  const close = (): void => {
    cancelRetry();
    pulse.stop();
    const mine = channel;
    channel = userId = joinedAt = null;
    closures = 0;
    if (mine) void supabase.removeChannel(mine);
  };

  return {
    open(id) {
      if (userId === id) return;
      close();
      userId = id;
      pulse.start();
      tryToJoin();
    },
    close,
    reconsider: pulse.reconsider,
    wake() {
      if (channel && !supabase.realtime.isConnected()) supabase.realtime.connect();
      else pulse.ask();
    },
  };
};
