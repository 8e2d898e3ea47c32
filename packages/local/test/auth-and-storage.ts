import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { afterAll } from "vitest";
import ws from "ws";
import { type AuthOptions, createAuth } from "../src/auth/create-auth.ts";
import type { Service, StackContext } from "../src/context.ts";
import { loadKeys } from "../src/keys.ts";
import { createStorage, type StorageOptions } from "../src/storage/create-storage.ts";
import { createTestDatabase } from "../src/testing.ts";

/** Auth and Storage over HTTP on a database of their own. */
export interface TestServices extends StackContext {
  /** URL of the database as role `postgres`, as which migrations run. */
  ownerUrl: string;
  /** What the services had to tell people. */
  logged: string[];
  /** A supabase-js client with the publishable key, its session in memory only. */
  client(options?: { key?: string }): SupabaseClient;
  /** A client with the secret key. */
  admin: SupabaseClient;
  /** Another Auth service on the same project, called directly. */
  authWith(options: AuthOptions): Service;
  stop(): Promise<void>;
}

/**
 * The services for a whole test file, with a private bucket `own` where users own the folder named by their id, as apps set
 * it up: migrations' role writes the policies. Awaited once, at the top of the file.
 */
export async function storageOfFile(): Promise<TestServices> {
  const services = await startServices();
  afterAll(() => services.stop());
  const sql = postgres(services.ownerUrl, { max: 1, onnotice: () => {} });
  const own = "bucket_id = 'own' and (storage.foldername(name))[1] = (select auth.uid())::text";
  await sql.unsafe(`
    insert into storage.buckets (id, name) values ('own', 'own');
    create policy "own read" on storage.objects for select to authenticated using (${own});
    create policy "own add" on storage.objects for insert to authenticated with check (${own});
    create policy "own change" on storage.objects for update to authenticated using (${own}) with check (${own});
    create policy "own remove" on storage.objects for delete to authenticated using (${own});`);
  await sql.end();
  return services;
}

/** Starts the services; `stop()` them in `afterAll`. */
export async function startServices(options: { storage?: StorageOptions } = {}): Promise<TestServices> {
  const database = await createTestDatabase({ migrations: false });
  const dataDir = await mkdtemp(join(tmpdir(), "podbase-services-"));
  const sql = postgres(database.superuserUrl, { max: 8, onnotice: () => {} });
  const keys = await loadKeys(dataDir);
  const services: Record<string, Service> = {};
  const server = createAdaptorServer({
    overrideGlobalObjects: false,
    fetch: (request) => {
      const service = services[new URL(request.url).pathname.split("/")[1] ?? ""];
      return service?.fetch(request) ?? new Response("no such service", { status: 404 });
    },
  });
  // Longer than a test keeps a connection idle, so that none is closed just as a request leaves.
  (server as Server).keepAliveTimeout = 65_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const logged: string[] = [];
  const ctx: StackContext = { sql, keys, url, dataDir, log: (message) => logged.push(message) };
  services.auth = createAuth(ctx);
  services.storage = await createStorage(ctx, options.storage);
  const client = ({ key = keys.publishable } = {}) =>
    createClient(url, key, {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { transport: ws as never },
    });
  return {
    ...ctx,
    ownerUrl: database.ownerUrl,
    logged,
    client,
    admin: client({ key: keys.secrets.default as string }),
    authWith: (authOptions) => createAuth(ctx, authOptions),
    async stop() {
      server.close();
      await sql.end();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The data of a supabase-js result that must be none of an error. */
export function must<R extends { data: unknown; error: unknown }>(
  result: R,
): Extract<R, { error: null }>["data"] {
  if (result.error) throw result.error;
  return result.data as Extract<R, { error: null }>["data"];
}

let users = 0;

/** A client signed in as a new user, and that user's id and token. */
export async function signedUp(
  services: TestServices,
  email = `user-${++users}@podbase.test`,
): Promise<{ client: SupabaseClient; id: string; email: string; token: string }> {
  const client = services.client();
  const { data, error } = await client.auth.signUp({ email, password: "correct horse" });
  if (error || !data.session) throw error ?? new Error("no session");
  return { client, id: data.session.user.id, email, token: data.session.access_token };
}

/** How many files the service keeps on disk, unfinished ones included. */
export async function filesOnDisk({ dataDir }: TestServices): Promise<number> {
  const entries = await readdir(join(dataDir, "objects"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}
