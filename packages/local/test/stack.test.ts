import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import ws from "ws";
import { type Stack, StackInUseError, startStack } from "../src/index.ts";
import { freePort } from "../src/processes/free-port.ts";
import { startProgram } from "./child-program.ts";
import { makeStackProject, type StackProject } from "./stack-project.ts";

const clientOf = (stack: Stack, key = stack.publishableKey) =>
  createClient(stack.url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: ws as never },
  });

/** A spy that Realtime calls for each note from now on. */
async function newNotes(client: SupabaseClient) {
  // Otherwise the join may go out before the token, and who is not signed in may not read notes.
  await client.realtime.setAuth();
  const changes = vi.fn();
  const told: string[] = [];
  client
    .channel("notes")
    .on("postgres_changes", { event: "INSERT", schema: "public", table: "notes" }, changes)
    .on("system", {}, ({ message }) => told.push(message))
    .subscribe();
  await vi.waitFor(() => expect(told).toContain("Subscribed to PostgreSQL"), 10_000);
  return changes;
}

describe("a running stack", () => {
  let project: StackProject;
  let stack: Stack;
  const log: string[] = [];
  beforeAll(async () => {
    project = await makeStackProject();
    stack = await startStack({
      ...project,
      port: await freePort(),
      vaultSecrets: { extra: "given" },
      site: async (request) => new Response(`page ${new URL(request.url).pathname}`),
      log: (line) => log.push(line),
    });
  });
  afterAll(async () => {
    await stack.stop();
    await project.remove();
  });

  test("serves every service behind one URL", async () => {
    const client = clientOf(stack);
    const { data } = await client.auth.signInAnonymously();
    const changes = await newNotes(client);
    expect((await client.from("notes").insert({ body: "one" })).error).toBeNull();
    expect((await client.from("notes").select("body")).data).toEqual([{ body: "one" }]);
    await vi.waitFor(() => expect(changes).toHaveBeenCalledTimes(1), 10_000);
    expect((await client.functions.invoke("who")).data).toBe(`Bearer ${data.session?.access_token}`);
    const service = clientOf(stack, stack.secretKeys.default);
    await service.storage.createBucket("files");
    expect((await service.storage.from("files").upload("a.txt", "text")).error).toBeNull();
    await client.removeAllChannels();
  });

  test("pg_net reaches a function with the URL and the key that Vault holds", async () => {
    const [secrets] = await stack.sql<[Record<string, string>]>`
      select jsonb_object_agg(name, decrypted_secret) as held from vault.decrypted_secrets`;
    expect(secrets?.held).toEqual({
      extra: "given",
      podbase_project_url: stack.url,
      podbase_secret_key: stack.secretKeys.podbase,
    });
    const [sent] = await stack.sql`
      select net.http_post(
        (select decrypted_secret from vault.decrypted_secrets where name = 'podbase_project_url')
          || '/functions/v1/hook',
        headers => jsonb_build_object('apikey',
          (select decrypted_secret from vault.decrypted_secrets where name = 'podbase_secret_key'))
      ) as id`;
    await vi.waitFor(async () => {
      const rows =
        await stack.sql`select status_code, content from net._http_response where id = ${sent?.id}`;
      expect(rows).toEqual([{ status_code: 200, content: stack.secretKeys.podbase }]);
    }, 10_000);
  });

  test("lets pages of any origin in, whatever headers they send", async () => {
    const preflight = await fetch(`${stack.url}/rest/v1/notes`, {
      method: "OPTIONS",
      headers: { "access-control-request-headers": "apikey,x-mine", origin: "http://app.example" },
    });
    expect(preflight.status).toBe(200);
    expect(preflight.headers.get("access-control-allow-headers")).toBe("apikey,x-mine");
    const answer = await fetch(`${stack.url}/rest/v1/notes`, { headers: { apikey: stack.publishableKey } });
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-expose-headers")).toContain("content-range");
  });

  test("says what it does not serve, and gives all other paths to the site", async () => {
    const graphql = await fetch(`${stack.url}/graphql/v1`, { method: "POST" });
    expect(graphql.status).toBe(501);
    expect(await graphql.json()).toMatchObject({ code: "not_implemented" });
    for (const path of ["/", "/assets/app.js", "/rest", "/restful/v1"]) {
      expect(await (await fetch(stack.url + path)).text()).toBe(`page ${path}`);
    }
  });

  test("refuses bodies that would not fit in memory", async () => {
    const chunk = new Uint8Array(1024 * 1024);
    const body = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < 51; sent += 1) controller.enqueue(chunk);
        controller.close();
      },
    });
    const headers = { apikey: stack.secretKeys.default as string, "content-type": "application/json" };
    const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
    const answer = await fetch(`${stack.url}/auth/v1/signup`, init);
    expect(answer.status).toBe(413);
  });

  test("a folder has one stack at a time", async () => {
    const second = startStack({ ...project, port: await freePort() });
    await expect(second).rejects.toThrow(StackInUseError);
    await expect(second).rejects.toMatchObject({ pid: process.pid, dataDir: project.dataDir });
  });

  test("goes on when Postgres is killed", async () => {
    const client = clientOf(stack);
    await client.auth.signInAnonymously();
    const changes = await newNotes(client);
    const pid = async () => (await stack.sql`select pg_postmaster_start_time() as at`)[0]?.at as Date;
    const before = await pid();
    stack.postgres.kill();
    await vi.waitFor(async () => expect(await pid()).not.toEqual(before), { timeout: 20_000, interval: 100 });
    await vi.waitFor(
      async () => {
        expect((await client.from("notes").insert({ body: "after" })).error).toBeNull();
        expect(changes).toHaveBeenCalled();
      },
      { timeout: 25_000, interval: 500 },
    );
    const [sent] = await stack.sql`select net.http_get(${`${stack.url}/functions/v1/hello`}) as id`;
    await vi.waitFor(
      async () => {
        const rows = await stack.sql`select content from net._http_response where id = ${sent?.id}`;
        expect(rows).toEqual([{ content: "hello" }]);
      },
      { timeout: 20_000, interval: 200 },
    );
    await client.removeAllChannels();
  }, 90_000);
});

describe("starts and stops", () => {
  let project: StackProject;
  let stack: Stack | undefined;
  beforeAll(async () => {
    project = await makeStackProject();
  });
  afterEach(async () => {
    await stack?.stop();
    stack = undefined;
  });
  afterAll(() => project.remove());

  test("a busy port is passed over, and a restart keeps the URL, the keys and the data", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const { port } = busy.address() as { port: number };
    stack = await startStack({ ...project, port });
    const { url, publishableKey } = stack;
    expect(url).not.toBe(`http://127.0.0.1:${port}`);
    await stack.sql`insert into public.notes (body) values ('kept')`;
    await stack.stop();
    await stack.stop();
    await expect(fetch(url)).rejects.toThrow();
    busy.close();
    stack = await startStack(project);
    expect(stack.url).toBe(url);
    expect(stack.publishableKey).toBe(publishableKey);
    expect(await stack.sql`select body from public.notes`).toEqual([{ body: "kept" }]);
  });

  test("after a failed start nothing runs and the folder is free", async () => {
    const broken = await makeStackProject();
    const migration = `${broken.projectDir}/supabase/migrations/20260102000000_broken.sql`;
    await writeFile(migration, "select 1;\nselect nonsense;\n");
    const start = async () => startStack({ ...broken, port: await freePort() });
    await expect(start()).rejects.toThrow('20260102000000_broken.sql:2: column "nonsense" does not exist');
    await writeFile(migration, "select 1;\n");
    stack = await start();
    await stack.stop();
    await broken.remove();
  });

  test("a stopped stack holds its process no longer", async () => {
    const { child } = await startProgram("hold-stack.ts", project.projectDir, project.dataDir, "0", "leave");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  test("after a SIGKILL no process is left and the next start finds everything, at the same URL", async () => {
    const { child, said } = await startProgram<{ url: string }>(
      "hold-stack.ts",
      project.projectDir,
      project.dataDir,
      "0",
    );
    child.kill("SIGKILL");
    await once(child, "exit");
    stack = await startStack(project);
    expect(stack.url).toBe(said.url);
    expect(await stack.sql`select body from public.notes`).toEqual([{ body: "kept" }]);
    expect(await (await fetch(`${stack.url}/functions/v1/hello`)).text()).toBe("hello");
  });
});
