import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { JobMessage } from "../../src/message.ts";
import { createFakeChannels, type FakeChannels } from "./fake-channels.ts";
import { createFakeDatabase, type FakeDatabase, type JobChange } from "./fake-database.ts";
import { jobId } from "./rows.ts";

/** What a request asked for. */
export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  headers: Headers;
}

/** Answers a request instead of the database; undefined leaves it to the database. */
export type Interceptor = (asked: Asked) => Response | Promise<Response> | Error | undefined;

/** supabase-js itself over a network of our making; only Realtime and the session are stand-ins. */
export interface FakeSupabase {
  client: SupabaseClient;
  database: FakeDatabase;
  channels: FakeChannels;
  /** Every request so far. */
  asked: Asked[];
  /** Requests for jobs so far. */
  reads(): Asked[];
  intercept(interceptor: Interceptor | null): void;
  /** Commits a change and sends its messages to the open channel. */
  changeAndTell(n: number, change: JobChange): void;
  signIn(userId: string): void;
  signOut(): void;
  /** How often a new token was asked for. */
  refreshes(): number;
  /** Tells that the session has a new token. */
  renew(): void;
  /** What getSession answers instead of the session; null ends it. */
  breakSession(error: Error | null): void;
}

/** A JSON answer. */
export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

type AuthListener = (event: string, session: { user: { id: string }; access_token: string } | null) => void;

const FIND_JOBS = "/rest/v1/rpc/find_jobs";

interface FindJobs {
  ids?: string[];
  statuses?: string[];
  unseen?: boolean;
  max_jobs?: number;
}

let clients = 0;

/** `userId`: who is signed in at the start. */
export const createFakeSupabase = (userId: string | null = "ada"): FakeSupabase => {
  const database = createFakeDatabase();
  const asked: Asked[] = [];
  let interceptor: Interceptor | null = null;
  let user = userId;
  let broken: Error | null = null;
  let refreshes = 0;
  const listeners = new Set<AuthListener>();

  const answer = (request: Asked): Response => {
    if (request.path === FIND_JOBS) {
      const { ids, statuses, unseen, max_jobs: limit = 50 } = request.body as FindJobs;
      const rows = [...database.rows.values()]
        .filter((row) => (ids?.includes(row.id) ?? true) && (statuses?.includes(row.status) ?? true))
        .filter((row) => !unseen || row.finished_at === null || row.seen_at === null)
        .sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
      return json(ids ? rows : rows.slice(0, limit));
    }
    return json({ code: "PGRST202", message: `no ${request.path}` }, 404);
  };

  const client = createClient("http://podbase.test", "sb_publishable_test", {
    global: {
      async fetch(input, init) {
        const url = new URL(String(input));
        const request: Asked = {
          method: init?.method ?? "GET",
          path: url.pathname,
          query: url.searchParams,
          body: typeof init?.body === "string" ? JSON.parse(init.body) : null,
          headers: new Headers(init?.headers),
        };
        asked.push(request);
        const aborted = new Promise<never>((_, reject) => {
          init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        });
        const intercepted = await Promise.race([interceptor?.(request), aborted]);
        if (intercepted instanceof Error) throw intercepted;
        return intercepted ?? answer(request);
      },
    },
    // A key of its own: supabase-js warns when two clients of a page share one.
    auth: {
      storageKey: `client-${++clients}`,
      persistSession: false,
      autoRefreshToken: false,
      detectSessionInUrl: false,
    },
    // Never dialed: the channels below are stand-ins.
    realtime: { transport: class {} as never },
  });

  const session = () => (user === null ? null : { user: { id: user }, access_token: `token of ${user}` });
  // What auth-js has stored stays there while it can't be renewed.
  const { storage, storageKey } = client.auth as unknown as {
    storage: { setItem(key: string, value: string): void };
    storageKey: string;
  };
  const keep = () =>
    storage.setItem(
      storageKey,
      JSON.stringify(user === null ? null : { ...session(), refresh_token: "r", expires_at: 4_000_000_000 }),
    );
  keep();
  Object.assign(client.auth, {
    getSession: async () =>
      broken ? { data: { session: null }, error: broken } : { data: { session: session() }, error: null },
    async refreshSession() {
      refreshes++;
      if (broken) return { data: { session: null }, error: broken };
      tell("TOKEN_REFRESHED");
      return { data: { session: session() }, error: null };
    },
    onAuthStateChange(listener: AuthListener) {
      listeners.add(listener);
      return { data: { subscription: { unsubscribe: () => listeners.delete(listener) } } };
    },
  });
  const tell = (event: string) => {
    for (const listener of [...listeners]) listener(event, session());
  };
  const channels = createFakeChannels();
  Object.assign(client, { channel: channels.channel, removeChannel: channels.removeChannel });

  return {
    client,
    database,
    channels,
    asked,
    reads: () => asked.filter(({ path }) => path === FIND_JOBS),
    intercept(next) {
      interceptor = next;
    },
    changeAndTell(n, change) {
      const messages: JobMessage[] = database.change(jobId(n), change);
      for (const message of messages) channels.open()?.broadcast(message);
    },
    signIn(id) {
      user = id;
      keep();
      tell("SIGNED_IN");
    },
    signOut() {
      user = null;
      keep();
      tell("SIGNED_OUT");
    },
    refreshes: () => refreshes,
    renew: () => tell("TOKEN_REFRESHED"),
    breakSession(error) {
      broken = error;
    },
  };
};
