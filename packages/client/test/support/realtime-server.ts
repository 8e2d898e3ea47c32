import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** What a client said when it joined a topic. */
export interface Join {
  topic: string;
  payload: { access_token?: string; config: { private: boolean; broadcast: Record<string, unknown> } };
}

/** A Realtime server that accepts every join; protocol 2.0.0 of supabase/realtime. */
export interface RealtimeServer {
  url: string;
  joins: Join[];
  leaves: string[];
  /** Resolves when so many joins have arrived. */
  joined(count: number): Promise<void>;
  broadcast(payload: unknown): void;
  /** Closes all channels, as the server does after an error of theirs. */
  closeChannels(): void;
  /** The connections there are stay open, and nothing goes through them any more. */
  deaden(): void;
  /** Drops all connections without a word. */
  drop(): void;
  stop(): Promise<void>;
}

/** Starts one on a free port of the loopback. */
export const startRealtimeServer = async (): Promise<RealtimeServer> => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const joins: Join[] = [];
  const leaves: string[] = [];
  const dead = new Set<WebSocket>();
  const channels = new Set<{ socket: WebSocket; topic: string; joinRef: string }>();
  const waiting: { count: number; resolve: () => void }[] = [];

  server.on("connection", (socket) => {
    socket.on("close", () => {
      for (const channel of channels) if (channel.socket === socket) channels.delete(channel);
    });
    socket.on("message", (data) => {
      if (dead.has(socket)) return;
      const [joinRef, ref, topic, event, payload] = JSON.parse(String(data));
      const reply = () =>
        socket.send(JSON.stringify([joinRef, ref, topic, "phx_reply", { status: "ok", response: {} }]));
      if (event === "heartbeat" || event === "phx_leave") reply();
      if (event === "phx_leave") leaves.push(topic);
      if (event !== "phx_join") return;
      joins.push({ topic, payload });
      channels.add({ socket, topic, joinRef });
      reply();
      for (const { count, resolve } of waiting) if (joins.length >= count) resolve();
    });
  });

  const push = (event: string, payload: unknown): void => {
    for (const { socket, topic, joinRef } of channels) {
      if (!dead.has(socket)) socket.send(JSON.stringify([joinRef, null, topic, event, payload]));
    }
  };

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    joins,
    leaves,
    joined: (count) =>
      joins.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => void waiting.push({ count, resolve: () => resolve() })),
    broadcast: (payload) => push("broadcast", { type: "broadcast", event: "job", payload }),
    closeChannels() {
      push("phx_close", {});
      channels.clear();
    },
    deaden() {
      for (const socket of server.clients) dead.add(socket);
    },
    drop() {
      for (const socket of server.clients) socket.terminate();
    },
    async stop() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, "close");
    },
  };
};
