import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootstrap } from "../src/bootstrap.ts";
import { type Postgres, startPostgres } from "../src/postgres/index.ts";
import { eventually, joined, listen, type RealtimeStack, received, startRealtime } from "./realtime-stack.ts";

const ada = randomUUID();
let dataDir: string;
let server: Postgres;
let stack: RealtimeStack;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "podbase-recovery-"));
  server = await startPostgres({ dataDir });
  await bootstrap(server);
  stack = await startRealtime(server.superuserUrl);
  await stack.sql.unsafe(`
    create policy receive on realtime.messages for select to authenticated using (realtime.topic() = 'ada');
    create table news (id int primary key);
    grant select on news to anon, authenticated;
    alter publication supabase_realtime add table news;`);
});
afterAll(async () => {
  await stack?.stop();
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const secret = { config: { private: true } };
const news = { changes: [{ event: "*" as const, schema: "public", table: "news" }] };
const joinedAgain = (statuses: string[]) =>
  eventually(() => {
    const error = statuses.findIndex((status) => status.startsWith("CHANNEL_ERROR"));
    expect(error).toBeGreaterThan(-1);
    expect(statuses.slice(error)).toContain("SUBSCRIBED");
  });

describe("after an interruption", () => {
  let number = 0;
  it.each([
    [
      "the replication connection ends",
      async () => {
        await stack.sql`select pg_terminate_backend(active_pid) from pg_replication_slots where active`;
      },
    ],
    [
      "Postgres restarts",
      async () => {
        await server.stop();
        server = await startPostgres({ dataDir, port: server.port });
      },
    ],
    [
      "Postgres is killed",
      async () => {
        server.kill();
        await server.stop();
        server = await startPostgres({ dataDir, port: server.port });
      },
    ],
    ["all sockets break", async () => stack.realtime.disconnectAll()],
  ])("because %s, clients join again and hear what comes then", async (_, interrupt) => {
    const client = await stack.client({ user: ada });
    const [messages, changes] = [listen(client, "ada", secret), listen(client, "news", news)];
    await Promise.all([joined(messages), joined(changes)]);
    changes.system.length = 0;
    await interrupt();
    await Promise.all([joinedAgain(messages.statuses), joinedAgain(changes.statuses)]);
    await eventually(() => expect(changes.system.at(-1)?.status).toBe("ok"));
    await stack.sql`insert into news values (${++number})`;
    await stack.sql`select realtime.send(${stack.sql.json({ number })}, 'e', 'ada')`;
    expect((await received(messages, 1)).at(-1).payload).toMatchObject({ number });
    expect((await received(changes, 1)).at(-1).new).toEqual({ id: number });
    await client.realtime.disconnect();
  });

  it("no replication slot is left behind", async () => {
    const slots = await stack.sql`select temporary from pg_replication_slots`;
    expect(slots).toEqual([{ temporary: true }]);
  });
});

describe("the feed", () => {
  it("does without a dropped publication and follows it when it is back", async () => {
    const messages = await joined(listen(await stack.client({ user: ada }), "ada", secret));
    await stack.sql`drop publication supabase_realtime`;
    await stack.sql`select realtime.send('{}', 'e', 'ada')`;
    await joinedAgain(messages.statuses);
    const without = listen(await stack.client(), "news", news);
    await expect.poll(() => without.system[0]?.status).toBe("error");
    await stack.sql`create publication supabase_realtime for table news`;
    const changes = listen(await stack.client(), "news", news);
    await eventually(() => expect(changes.system.at(-1)?.status).toBe("ok"));
    await stack.sql`insert into news values (100)`;
    expect((await received(changes, 1)).at(-1).new).toEqual({ id: 100 });
  });
});

describe("silence", () => {
  it("keeps sockets open and sends nothing", async () => {
    const changes = await joined(listen(await stack.client(), "silent", news));
    stack.realtime.silence(true);
    const before = stack.realtime.statistics();
    await stack.sql`insert into news values (200)`;
    await stack.sql`select realtime.send('{}', 'e', 'x')`;
    stack.realtime.silence(false);
    await stack.sql`insert into news values (201)`;
    await received(changes, 1);
    expect(before.sockets).toBeGreaterThan(0);
    expect(changes.statuses).toEqual(["SUBSCRIBED"]);
  });
});
