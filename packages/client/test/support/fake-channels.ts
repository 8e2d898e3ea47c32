import type { RealtimeChannelOptions } from "@supabase/supabase-js";

type Status = "SUBSCRIBED" | "CLOSED" | "CHANNEL_ERROR" | "TIMED_OUT";

/** A Realtime channel whose server is the test. */
export interface FakeChannel {
  topic: string;
  options: RealtimeChannelOptions;
  state: "closed" | "joining" | "joined" | "errored";
  /** The server accepts the join, the first one or a rejoin. */
  join(): void;
  /** The connection drops; supabase-js will rejoin. */
  fail(status?: "CHANNEL_ERROR" | "TIMED_OUT"): void;
  /** The server closes the channel for good. */
  closeByServer(): void;
  broadcast(payload: unknown): void;
  system(payload: unknown): void;
}

/** Channels by topic as supabase-js keeps them: one open channel a topic, forgotten when it closes. */
export interface FakeChannels {
  channel(topic: string, options: RealtimeChannelOptions): unknown;
  removeChannel(channel: unknown): Promise<"ok">;
  /** Every channel that was ever subscribed. */
  made: FakeChannel[];
  /** The newest channel that is not closed. */
  open(): FakeChannel | undefined;
}

/** Makes an empty set of channels. */
export const createFakeChannels = (): FakeChannels => {
  const made: FakeChannel[] = [];
  const current = new Map<string, FakeChannel>();

  const make = (topic: string, options: RealtimeChannelOptions): FakeChannel => {
    let report: (status: Status, error?: Error) => void = () => {};
    const handlers: Record<string, ((payload: unknown) => void)[]> = {};
    const close = () => {
      channel.state = "closed";
      current.delete(topic);
      report("CLOSED");
    };
    const channel: FakeChannel = {
      topic,
      options,
      state: "closed",
      join() {
        channel.state = "joined";
        report("SUBSCRIBED");
      },
      fail(status = "CHANNEL_ERROR") {
        channel.state = "errored";
        report(status, status === "CHANNEL_ERROR" ? new Error("socket closed: 1006") : undefined);
      },
      closeByServer: close,
      broadcast(payload) {
        if (channel.state !== "joined") return;
        for (const handler of handlers.broadcast ?? []) handler({ type: "broadcast", event: "job", payload });
      },
      system(payload) {
        for (const handler of handlers.system ?? []) handler(payload);
      },
    };
    return Object.assign(channel, {
      close,
      on(type: string, _filter: unknown, handler: (payload: unknown) => void) {
        handlers[type] = [...(handlers[type] ?? []), handler];
        return channel;
      },
      subscribe(callback: (status: Status, error?: Error) => void) {
        report = callback;
        channel.state = "joining";
        made.push(channel);
        return channel;
      },
    });
  };

  return {
    made,
    channel(topic, options) {
      const channel = current.get(topic) ?? make(topic, options);
      current.set(topic, channel);
      return channel;
    },
    async removeChannel(channel) {
      (channel as FakeChannel).closeByServer();
      return "ok";
    },
    open: () => made.findLast(({ state }) => state !== "closed"),
  };
};
