/**
 * Very many jobs in one call, all made, claimed and completed; the same call again makes none.
 *
 *     npx vitest run test/engine/bulk.test.ts                      2,000 jobs
 *     PODBASE_TASKS=20000 npx vitest run test/engine/bulk.test.ts  10,000, the most that one call takes (npm run test:long)
 */
import type { Claim } from "@podbase/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Engine, openEngine } from "../sql/harness.ts";

const JOBS = Number(process.env.PODBASE_TASKS ?? 0) >= 10_000 ? 10_000 : 2_000;
const USERS = 20;
let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
  await engine.configure({
    endpoints: { one: { providerId: "ep-one", maxInFlight: 100_000, maxRunsPer10s: 1_000_000 } },
  });
});
afterAll(() => engine.close());

const call = async <T>(name: string, argument: unknown): Promise<T> =>
  (await engine.sql.unsafe(`select podbase.${name}($1) as r`, [argument as never]))[0]!.r as T;

it(`makes ${JOBS} jobs in one call, each once, in order, fair to all, and all of them end`, {
  timeout: 60_000 + JOBS * 30,
}, async () => {
  const users = await Promise.all(Array.from({ length: USERS }, () => engine.user()));
  // All of the first user's come first; every fifth job has two tasks.
  const requests = Array.from({ length: JOBS }, (_, n) => ({
    user: users[Math.floor((n * USERS) / JOBS)],
    kind: "bulk",
    input: { n },
    idempotencyKey: `bulk-${n}`,
    plan: {
      tasks: [
        { name: "a", route: "gpu" },
        ...(n % 5 === 4 ? [{ name: "b", route: "gpu", after: ["a"] }] : []),
      ],
    },
  }));
  const made = await call<{ job: string; created: boolean }[]>("submit_jobs", requests);
  expect(new Set(made.map(({ job }) => job)).size).toBe(JOBS);
  expect(made.every(({ created }) => created)).toBe(true);
  const inputs = await engine.sql`select id, (input ->> 'n')::int as n from podbase.jobs`;
  expect(inputs.every(({ id, n }) => made[n]?.job === id)).toBe(true);
  const again = await call<{ job: string; created: boolean }[]>("submit_jobs", requests);
  expect(again).toEqual(made.map(({ job }) => ({ job, created: false })));

  const claimed: Claim[] = [];
  let ready = await call<Claim[]>("claim_tasks", USERS);
  expect(new Set(ready.map(({ user }) => user)).size, "the first claims are one of each user").toBe(USERS);
  while (ready.length > 0) {
    claimed.push(...ready);
    const results = await call<{ claims: Claim[]; verdict: string }[]>(
      "record_reports",
      ready.map(({ attempt, token, kind, task }) => ({
        ...{ attempt, token, kind, task, source: "webhook", status: "COMPLETED", output: {} },
      })),
    );
    expect(results.every(({ verdict }) => verdict === "applied")).toBe(true);
    ready = results.flatMap(({ claims }) => claims);
    if (ready.length === 0) ready = await call<Claim[]>("claim_tasks", 1000);
  }
  expect(new Set(claimed.map(({ attempt }) => attempt)).size).toBe(JOBS + Math.floor(JOBS / 5));
  const [left] = await engine.sql`
    select count(*) filter (where status <> 'completed')::int as open,
           count(*) filter (where version <> case task_count when 1 then 2 else 4 end)::int as miscounted
    from podbase.jobs`;
  // Of a job with two tasks: submitted, a completed, b opened, b completed.
  expect(left).toEqual({ open: 0, miscounted: 0 });
});
