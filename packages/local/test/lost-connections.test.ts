import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { patientSocket } from "../src/patient-socket.ts";
import { createTestDatabase } from "../src/testing.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let sql: postgres.Sql;
let killer: postgres.Sql;
beforeEach(async () => {
  database = await createTestDatabase({ migrations: false });
  sql = postgres(database.superuserUrl, {
    max: 1,
    socket: patientSocket(300),
  } as postgres.Options<Record<string, never>>);
  killer = postgres(database.superuserUrl, { max: 1 });
});
afterEach(async () => {
  await sql.end({ timeout: 1 });
  await killer.end({ timeout: 1 });
  await database.drop();
});

const kill = (pid: number) => killer`select pg_terminate_backend(${pid}, 5000)`;
const pidOf = async (tx: postgres.ISql) =>
  (await tx<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]!.pid;

const answered = () => sql`select 1 as one`.catch(() => []);
const PATIENCE = { timeout: 20_000 };

describe("a pool whose connection is lost", () => {
  it("refuses a transaction's next statement, and serves the next caller", async () => {
    const lost = sql.begin(async (tx) => {
      await kill(await pidOf(tx));
      await tx`select 1`;
    });
    await expect(lost).rejects.toThrow();
    await expect.poll(answered, PATIENCE).toEqual([{ one: 1 }]);
  });

  it("refuses the statement under way, and serves the next caller", async () => {
    const lost = sql.begin(async (tx) => {
      const pid = await pidOf(tx);
      await Promise.all([tx`select pg_sleep(20)`, kill(pid)]);
    });
    await expect(lost).rejects.toThrow();
    await expect.poll(answered, PATIENCE).toEqual([{ one: 1 }]);
  });

  it("answers or refuses whatever is asked at the moment of its end", async () => {
    const asked: Promise<unknown>[] = [];
    const ask = () => asked.push(sql`select 1`.catch(() => {}));
    for (let round = 0; round < 5; round++) {
      await expect.poll(answered, PATIENCE).toEqual([{ one: 1 }]);
      await kill(await pidOf(sql));
      // In every phase of the event loop, from before the end of the grace until after it.
      for (const until = performance.now() + 400; performance.now() < until; ) {
        ask();
        await new Promise((resolve) => setTimeout(resolve));
        ask();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await Promise.all(asked);
  });

  it("comes back when all its connections end at once", async () => {
    const wide = postgres(database.superuserUrl, {
      max: 4,
      socket: patientSocket(300),
    } as postgres.Options<Record<string, never>>);
    const all = <T>(ask: () => Promise<T>) => Promise.all(Array.from({ length: 4 }, ask));
    await all(() => wide`select pg_sleep(0.1)`);
    await killer`select pg_terminate_backend(pid, 5000) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()`;
    await expect
      .poll(() => all(() => wide`select 1 as one`.catch(() => [])), PATIENCE)
      .toEqual(Array(4).fill([{ one: 1 }]));
    await wide.end({ timeout: 1 });
  });

  it("comes back when it was idle", async () => {
    await kill(await pidOf(sql));
    await expect.poll(answered, PATIENCE).toEqual([{ one: 1 }]);
  });
});
