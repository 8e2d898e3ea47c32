import type { WebSocket } from "ws";
import type { Channel, ChannelServices, ChannelSocket } from "./channel.ts";
import { type ClientFrame, decodeFrame, encodeMessage, FrameError, type Version } from "./frames.ts";
import { JoinError } from "./join-request.ts";
import { joinChannel } from "./joining.ts";

/** What leaves the server: counted, or held back to play a dead network. */
export interface Outlet {
  silent: boolean;
  messages: number;
  bytes: number;
}

/** Whose socket it is. */
export interface Caller {
  version: Version;
  keyRole: string;
  headers: Record<string, string>;
}

/** Hosted projects' default limit. */
const MOST_CHANNELS = 100;
const CLOSE_INVALID_DATA = 1007;

/** Serves one WebSocket until it closes. Frames of one topic are handled in order, topics beside each other. */
export function serveConnection(
  services: ChannelServices,
  outlet: Outlet,
  ws: WebSocket,
  caller: Caller,
): void {
  const channels = new Map<string, Channel>();
  /** Those of `channels` and of joins under way. */
  const topics = new Set<string>();
  const queues = new Map<string, Promise<void>>();

  const send = (frame: string | Buffer) => {
    if (outlet.silent || ws.readyState !== ws.OPEN) return;
    outlet.messages += 1;
    outlet.bytes += Buffer.byteLength(frame);
    ws.send(frame);
  };
  const reply = ({ joinRef, ref, topic }: ClientFrame, status: "ok" | "error", response: unknown) =>
    send(
      encodeMessage(caller.version, {
        joinRef,
        ref,
        topic,
        event: "phx_reply",
        payload: { status, response },
      }),
    );
  const socket: ChannelSocket = {
    ...caller,
    send,
    isOpen: () => ws.readyState === ws.OPEN,
    keep: (channel) => channels.set(channel.topic, channel),
    forget: (channel) => {
      channels.delete(channel.topic);
      topics.delete(channel.topic);
    },
  };

  const join = async (frame: ClientFrame & { kind: "message" }) => {
    channels.get(frame.topic)?.close();
    try {
      topics.add(frame.topic);
      if (topics.size > MOST_CHANNELS) throw new JoinError("ChannelRateLimitReached: Too many channels");
      const channel = await joinChannel(services, socket, frame);
      await channel?.subscribe();
    } catch (error) {
      if (!channels.has(frame.topic)) topics.delete(frame.topic);
      if (!(error instanceof JoinError)) throw error;
      reply(frame, "error", { reason: error.message });
    }
  };

  const handle = async (frame: ClientFrame) => {
    const isMessage = frame.kind === "message";
    if (isMessage && frame.event === "phx_join" && frame.topic.startsWith("realtime:")) return join(frame);
    const channel = channels.get(frame.topic);
    const isCurrent = frame.joinRef === null || frame.joinRef === channel?.joinRef;
    if (channel && isCurrent) return channel.handle(frame);
    if (isMessage && frame.event === "phx_leave") return reply(frame, "ok", {});
    reply(frame, "error", { reason: "unmatched topic" });
  };

  const enqueue = (frame: ClientFrame) => {
    const work = (queues.get(frame.topic) ?? Promise.resolve())
      .then(() => handle(frame))
      .catch((error: Error) => {
        services.log(`realtime: ${frame.topic}: ${error.message}`);
        const channel = channels.get(frame.topic);
        if (channel) channel.fail();
        else reply(frame, "error", { reason: "Unknown Error on Channel" });
      })
      .then(() => {
        if (queues.get(frame.topic) === work) queues.delete(frame.topic);
      });
    queues.set(frame.topic, work);
  };

  ws.on("message", (data: Buffer, isBinary: boolean) => {
    try {
      const frame = decodeFrame(caller.version, data, isBinary);
      if (frame.topic === "phoenix") reply(frame, "ok", {});
      else enqueue(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      ws.close(CLOSE_INVALID_DATA, error.message);
    }
  });
  ws.on("error", (error) => services.log(`realtime: socket: ${error.message}`));
  ws.on("close", () => {
    for (const channel of [...channels.values()]) channel.drop();
  });
}
