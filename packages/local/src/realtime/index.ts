import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Service, StackContext } from "../context.ts";
import { createChangeDispatch } from "./change-dispatch.ts";
import type { Channel, ChannelServices } from "./channel.ts";
import { createPool } from "./connect-like.ts";
import { type Caller, type Outlet, serveConnection } from "./connection.ts";
import { createFeed } from "./feed.ts";
import { createHttpBroadcast } from "./http-broadcast.ts";
import { createHub } from "./hub.ts";
import { startRetention } from "./retention.ts";

/** Realtime of the local stack: broadcast and postgres_changes as hosted; no presence, no replay. */
export interface Realtime extends Service {
  /** Takes over an HTTP upgrade of `/realtime/v1/websocket`; others are refused. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Kills every socket without a closing handshake, as a network does. For tests of clients. */
  disconnectAll(): void;
  /** While true, sockets stay open but nothing is sent, heartbeat replies included. For tests of clients. */
  silence(silent: boolean): void;
  /** Frames and bytes sent since the start; sockets and joined channels now. */
  statistics(): { messages: number; bytes: number; sockets: number; channels: number };
  close(): Promise<void>;
}

const PUBLICATION = "supabase_realtime";
const MESSAGES_PUBLICATION = "supabase_realtime_messages_publication";
const POOL_SIZE = 4;
/** Hosted Realtime's largest frame, in bytes. */
const LARGEST_FRAME = 5_000_000;
const START_TIMEOUT_MS = 30_000;

/**
 * Starts Realtime; resolves when changes flow. Needs `wal_level = logical` and one free replication slot. Rejects when
 * the database can't be followed.
 */
export async function createRealtime(ctx: StackContext): Promise<Realtime> {
  const { keys, log } = ctx;
  const pool = createPool(ctx.sql, POOL_SIZE);
  const hub = createHub<Channel>();
  const feed = createFeed({
    pool,
    publications: [PUBLICATION, MESSAGES_PUBLICATION],
    onChange: createChangeDispatch({ pool, hub, log }),
    onInterrupted: () => {
      pool.renew();
      hub.failAll();
    },
    log,
  });
  const disconnect = async () => {
    await feed.close();
    await pool.end();
  };
  const stopRetention = await feed
    .ready(START_TIMEOUT_MS)
    .then(() => startRetention(pool, log))
    .catch(async (error) => {
      await disconnect();
      throw error;
    });

  const services: ChannelServices = { pool, keys, hub, feed, publication: PUBLICATION, log };
  const outlet: Outlet = { silent: false, messages: 0, bytes: 0 };
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LARGEST_FRAME });

  return {
    fetch: createHttpBroadcast({ pool, keys, hub, log }),
    upgrade(request, socket, head) {
      const [path, query] = (request.url ?? "").split("?", 2);
      const parameters = new URLSearchParams(query);
      if (path !== "/realtime/v1/websocket") return refuse(socket, 404, "not found");
      const keyRole = keys.roleOf(headerOf(request, "x-api-key") ?? parameters.get("apikey"));
      if (!keyRole) return refuse(socket, 401, "API key is missing or not one of the project's");
      const version = parameters.get("vsn") === "2.0.0" ? "2.0.0" : "1.0.0";
      const caller: Caller = { version, keyRole, headers: customHeaders(request) };
      sockets.handleUpgrade(request, socket, head, (ws) => serveConnection(services, outlet, ws, caller));
    },
    disconnectAll() {
      for (const ws of sockets.clients) ws.terminate();
    },
    silence(silent) {
      outlet.silent = silent;
    },
    statistics: () => ({
      messages: outlet.messages,
      bytes: outlet.bytes,
      sockets: sockets.clients.size,
      channels: hub.size(),
    }),
    async close() {
      stopRetention();
      for (const ws of sockets.clients) ws.terminate();
      sockets.close();
      await disconnect();
    },
  };
}

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.[0];
};

/** Headers that policies may look at: Phoenix keeps those that start with `x-`. */
function customHeaders(request: IncomingMessage): Record<string, string> {
  const names = Object.keys(request.headers).filter((name) => name.startsWith("x-"));
  return Object.fromEntries(names.map((name) => [name, headerOf(request, name) ?? ""]));
}

function refuse(socket: Duplex, status: number, error: string): void {
  const body = JSON.stringify({ error });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
