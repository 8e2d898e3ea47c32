import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import {
  createClient,
  type RealtimeChannel,
  type RealtimeChannelOptions,
  type SupabaseClient,
} from "@supabase/supabase-js";
import postgres from "postgres";
import { afterAll, vi } from "vitest";
import ws from "ws";
import { type Keys, loadKeys } from "../src/keys.ts";
import { createRealtime, type Realtime } from "../src/realtime/index.ts";
import { createTestDatabase } from "../src/testing.ts";

/** Realtime over HTTP on a database, and clients for it. */
export interface RealtimeStack {
  url: string;
  keys: Keys;
  /** As `supabase_admin`. */
  sql: postgres.Sql;
  realtime: Realtime;
  /** What Realtime had to tell people. */
  logged: string[];
  /** A client with the publishable key; with `user` as that user. */
  client(options?: ClientOptions): Promise<SupabaseClient>;
  token(user: string, lifetimeS?: number): Promise<string>;
  stop(): Promise<void>;
}

/** How a client speaks. */
export interface ClientOptions {
  key?: string;
  user?: string;
  vsn?: "1.0.0" | "2.0.0";
}

/** Realtime on a bare database, both for a whole test file. Awaited once, at the top of the file. */
export async function realtimeOfFile() {
  const database = await createTestDatabase({ migrations: false });
  const stack = await startRealtime(database.superuserUrl);
  afterAll(async () => {
    await stack.stop();
    await database.drop();
  });
  return { database, stack };
}

/** Starts Realtime on the database at `superuserUrl`; `stop()` it in `afterAll`. */
export async function startRealtime(superuserUrl: string): Promise<RealtimeStack> {
  const dataDir = await mkdtemp(join(tmpdir(), "podbase-realtime-"));
  const sql = postgres(superuserUrl, { max: 4, onnotice: () => {} });
  const keys = await loadKeys(dataDir);
  const logged: string[] = [];
  const server = createAdaptorServer({ fetch: (request) => realtime.fetch(request) });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const realtime = await createRealtime({ sql, keys, url, dataDir, log: (message) => logged.push(message) });
  server.on("upgrade", realtime.upgrade);
  const token = (user: string, lifetimeS = 3600) =>
    keys.sign({ sub: user, role: "authenticated", aud: "authenticated" }, lifetimeS);
  const clients: SupabaseClient[] = [];
  const client = async ({ key = keys.publishable, user, vsn }: ClientOptions = {}) => {
    const jwt = user && (await token(user));
    const options = {
      realtime: { transport: ws as never, ...(vsn ? { vsn } : {}) },
      ...(jwt ? { accessToken: async () => jwt } : {}),
    };
    const made = createClient(url, key, {
      ...options,
      auth: { persistSession: false, autoRefreshToken: false },
    });
    clients.push(made);
    // Otherwise the first join may come before the token and be refused.
    await made.realtime.setAuth();
    return made;
  };
  return {
    url,
    keys,
    sql,
    realtime,
    logged,
    client,
    token,
    async stop() {
      for (const made of clients) await made.realtime.disconnect();
      await realtime.close();
      server.close();
      await sql.end({ timeout: 1 });
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A channel that keeps what it was told. */
export interface Listener {
  channel: RealtimeChannel;
  /** Statuses, errors with their message: `SUBSCRIBED`, `CHANNEL_ERROR: …`. */
  statuses: string[];
  /** Payloads of changes and broadcasts, in order of arrival. */
  // biome-ignore lint/suspicious/noExplicitAny: payloads are whatever a test sent
  received: any[];
  system: { extension: string; status: string; message: string }[];
}

/** A `postgres_changes` binding. */
export interface Binding {
  event: "*" | "INSERT" | "UPDATE" | "DELETE";
  schema: string;
  table?: string;
  filter?: string;
  select?: string[];
}

/** Joins a topic and listens to all its broadcasts and to the changes bound. Does not wait. */
export function listen(
  client: SupabaseClient,
  topic: string = randomUUID(),
  options: { config?: RealtimeChannelOptions["config"]; changes?: Binding[] } = {},
): Listener {
  const channel = client.channel(topic, { config: options.config ?? {} });
  const listener: Listener = { channel, statuses: [], received: [], system: [] };
  const take = (payload: unknown) => listener.received.push(payload);
  for (const binding of options.changes ?? []) channel.on("postgres_changes", binding as never, take);
  channel.on("broadcast", { event: "*" }, take);
  channel.on("system", {}, (payload) => listener.system.push(payload));
  channel.subscribe((status, error) =>
    listener.statuses.push(error ? `${status}: ${error.message}` : status),
  );
  return listener;
}

/** Waits, at most ten seconds, until `check` no longer throws. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 10_000, interval: 10 });

/** Waits until the channel has joined and, with changes bound, until these stand. */
export async function joined(listener: Listener): Promise<Listener> {
  await eventually(() => {
    if (listener.statuses.at(-1) !== "SUBSCRIBED") throw new Error(`status: ${listener.statuses}`);
    const bound = (listener.channel.bindings.postgres_changes ?? []).length > 0;
    const stands = listener.system.some(({ message }) => message === "Subscribed to PostgreSQL");
    if (bound && !stands) throw new Error(`system: ${JSON.stringify(listener.system)}`);
  });
  return listener;
}

/** Waits until the listener received `count` payloads. */
export async function received(listener: Listener, count: number): Promise<Listener["received"]> {
  await eventually(() => {
    if (listener.received.length < count)
      throw new Error(
        `${listener.received.length} of ${count} received: ${JSON.stringify(listener.received)}`,
      );
  });
  return listener.received;
}
