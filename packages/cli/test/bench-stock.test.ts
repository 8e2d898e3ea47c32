import { createTestDatabase } from "@podbase/local/testing";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { cells } from "../src/bench/cells.ts";
import { engine, findFeatures } from "../src/bench/engine-calls.ts";
import { FLOOR_SQL } from "../src/bench/floor.ts";
import { USERS } from "../src/bench/payload.ts";
import { stock } from "../src/bench/stock.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let sql: Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
  await sql.unsafe(FLOOR_SQL);
  await sql`
    insert into auth.users (id, email)
    select ('00000000-0000-4000-8000-' || lpad(to_hex(g), 12, '0'))::uuid, g || '@example.com'
    from generate_series(0, ${USERS - 1}::int) g`;
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});
beforeEach(async () => {
  await sql`delete from podbase.jobs`;
  await sql`truncate bench_floor.jobs`;
  await engine.configure(sql, true);
});

it("Stock is what the engine would have made: its statuses, its owners, and only the queued part claimable", async () => {
  await stock(sql, { finished: 30, deferred: 20, queued: 12, live: 5 });
  const jobs = await sql`
    select j.status, count(*)::int as jobs, count(distinct j.user_id)::int as users, count(t.id)::int as tasks
    from podbase.jobs j join podbase.tasks t on t.job_id = j.id and t.user_id = j.user_id and t.status::text = j.status::text
    group by j.status order by j.status`;
  expect([...jobs]).toEqual([
    { status: "queued", jobs: 12, users: 12, tasks: 12 },
    { status: "processing", jobs: 25, users: 20, tasks: 25 },
    { status: "completed", jobs: 30, users: 30, tasks: 30 },
  ]);
  expect(await engine.claim(sql, 100)).toHaveLength(12);
  expect(await engine.claim(sql, 100)).toEqual([]);
});

it("Copied jobs run to their end like any other", async () => {
  await stock(sql, { finished: 0, deferred: 0, queued: 7, live: 0 });
  const claims = await engine.claim(sql, 100);
  await engine.accept(sql, claims);
  for (const claim of claims) await engine.complete(sql, claim);
  const [row] = await sql`
    select count(*)::int as jobs from podbase.jobs where status = 'completed' and progress = 1`;
  expect(row).toEqual({ jobs: 7 });
});

it("Every measured step does work on both sides", async () => {
  for (const cell of cells(await findFeatures(sql), 0.001)) {
    await engine.configure(sql, true);
    await cell.prepare?.(sql);
    await cell.restock?.(sql, 10);
    for (const step of [cell.engine, cell.floor]) {
      if (step) expect([cell.name, await step(sql)]).not.toEqual([cell.name, null]);
    }
  }
});
