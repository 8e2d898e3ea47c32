import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import ws from "ws";
import type { StackContext } from "../src/context.ts";
import { type Keys, loadKeys } from "../src/keys.ts";
import { createRest } from "../src/rest/create-rest.ts";
import { createTestDatabase } from "../src/testing.ts";
import { REST_SCHEMA } from "./rest-fixture.sql.ts";

/** The id of `alice`. */
export const ALICE = "a0000000-0000-4000-8000-000000000001";
/** The id of `bob`. */
export const BOB = "b0000000-0000-4000-8000-000000000002";

/** Any schema, since the tests make their own. */
// biome-ignore lint/suspicious/noExplicitAny: generated types for a throwaway schema say nothing
export type AnyClient = SupabaseClient<any, { PostgrestVersion: "14" }>;

/** REST over HTTP on a database of its own. */
export interface TestRest {
  url: string;
  keys: Keys;
  /** As superuser. */
  sql: postgres.Sql;
  alice: AnyClient;
  bob: AnyClient;
  anon: AnyClient;
  service: AnyClient;
  tokens: { alice: string; bob: string };
  logged: string[];
  /** A bare request as Alice; `init.headers` may say otherwise. */
  raw(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

/** What the tests choose of REST. */
export interface TestRestOptions {
  /** The project's migrations instead of the tests' schema. */
  migrations?: boolean;
  maxRows?: number;
}

/** Starts REST; `stop()` it in `afterAll`. */
export async function startRest({
  migrations = false,
  maxRows = 1000,
}: TestRestOptions = {}): Promise<TestRest> {
  const database = await createTestDatabase({ migrations });
  const dataDir = await mkdtemp(join(tmpdir(), "podbase-rest-"));
  const sql = postgres(database.superuserUrl, { max: 8, onnotice: () => {} });
  if (!migrations) {
    const owner = postgres(database.ownerUrl, { max: 1, onnotice: () => {} });
    await owner.unsafe(REST_SCHEMA);
    await owner.end();
  }
  const keys = await loadKeys(dataDir);
  const logged: string[] = [];
  const ctx: StackContext = { sql, keys, url: "", dataDir, log: (message) => logged.push(message) };
  const service = await createRest(ctx, { schemas: ["public", "podbase"], maxRows });
  const server = createAdaptorServer({ fetch: (request) => service.fetch(request) });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const token = (sub: string) => keys.sign({ sub, role: "authenticated" }, 3600);
  const tokens = { alice: await token(ALICE), bob: await token(BOB) };
  const client = (key: string, bearer?: string): AnyClient =>
    createClient(url, key, {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { transport: ws as never },
      ...(bearer === undefined ? {} : { accessToken: async () => bearer }),
    });
  return {
    url,
    keys,
    sql,
    alice: client(keys.publishable, tokens.alice),
    bob: client(keys.publishable, tokens.bob),
    anon: client(keys.publishable),
    service: client(keys.secrets.default as string),
    tokens,
    logged,
    raw: (path, init = {}) =>
      fetch(`${url}/rest/v1${path}`, {
        ...init,
        headers: { apikey: keys.publishable, authorization: `Bearer ${tokens.alice}`, ...init.headers },
      }),
    async stop() {
      server.close();
      await service.close?.();
      await sql.end();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
