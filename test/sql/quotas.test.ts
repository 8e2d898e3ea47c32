import type { SubmitResult } from "@podbase/core";
import postgres from "postgres";
import { beforeAll, describe, expect, it } from "vitest";
import { engineOfFile, ONE } from "./harness.ts";

let user: string;
const { engine } = await engineOfFile(async ({ configure, sql }) => {
  await configure({ settings: { max_jobs_per_minute: null, max_open_jobs: null } });
  await sql`delete from podbase_private.user_limits`;
});

const limits = (settings: object) => engine.configure({ settings });
const submit = (more: object = {}, owner = user) => engine.submit(owner, ONE, more);
const submitMany = async (requests: object[], owner = user) => {
  const all = requests.map((more) => ({ user: owner, kind: "k", input: {}, plan: { tasks: ONE }, ...more }));
  const [row] = await engine.sql`select podbase.submit_jobs(${engine.sql.json(all as never)}) as r`;
  return row!.r as { job: string; created: boolean }[];
};
const count = async (owner = user) =>
  Number((await engine.sql`select count(*) from podbase.jobs where user_id = ${owner}`)[0]!.count);
const cancel = (job: string) => engine.sql`select podbase.operator_cancel_job(${job})`;

describe("the limit of new jobs a minute", () => {
  beforeAll(async () => {
    user = await engine.user();
  });

  it("refuses the next one with PB008 and the seconds until there is room, and stores nothing of it", async () => {
    await limits({ max_jobs_per_minute: 2 });
    await engine.clock(0);
    await submit();
    await engine.clock(20);
    await submit();
    await engine.clock(30);
    await expect(submit()).rejects.toMatchObject({ code: "PB008", detail: "30" });
    expect(await count()).toBe(2);
    await engine.clock(60);
    await submit();
    await engine.clock(61);
    await expect(submit()).rejects.toMatchObject({ code: "PB008", detail: "19" });
  });

  it("never refuses a repeated idempotency key, alone or among others", async () => {
    await limits({ max_jobs_per_minute: 1 });
    const first = await submit({ kind: "k", input: {}, idempotencyKey: "once" });
    const again = await submit({ kind: "k", input: {}, idempotencyKey: "once" });
    expect([again.created, again.job.id]).toEqual([false, first.job.id]);
    expect(await submitMany([{ idempotencyKey: "once" }, { idempotencyKey: "once" }])).toEqual([
      { job: first.job.id, created: false },
      { job: first.job.id, created: false },
    ]);
    await expect(submit()).rejects.toMatchObject({ code: "PB008" });
  });

  it("counts what one call makes, all or none, and says when a call can never succeed", async () => {
    await limits({ max_jobs_per_minute: 5 });
    await engine.clock(0);
    await submitMany([{}, {}, {}]);
    await engine.clock(10);
    await expect(submitMany([{}, {}, {}])).rejects.toMatchObject({ code: "PB008", detail: "50" });
    await expect(submitMany([{}, {}, {}, {}, {}, {}])).rejects.toMatchObject({ code: "PB008", detail: "" });
    expect(await count()).toBe(3);
    await submitMany([{}, {}]);
    expect(await count()).toBe(5);
  });

  it("is each user's own, and another one for who is named", async () => {
    const other = await engine.user();
    await limits({ max_jobs_per_minute: 1 });
    await submit();
    await engine.configure({ users: { [other]: { maxJobsPerMinute: 3 } } });
    for (let n = 0; n < 3; n++) await submit({}, other);
    await expect(submit({}, other)).rejects.toMatchObject({ code: "PB008" });
    await expect(submit()).rejects.toMatchObject({ code: "PB008" });
  });
});

describe("jobs that reuse a result", () => {
  it("count when they are made for the user, as copies are, and not when the user has them already", async () => {
    const [first, second] = [await engine.user(), await engine.user()];
    await limits({ max_jobs_per_minute: 1 });
    const ask = (who: string, input: object) =>
      engine.submit(who, ONE, { input, plan: { tasks: ONE, reuse: { scope: "global", ttlMs: 60_000 } } });
    await ask(first, { n: 1 });
    expect((await ask(first, { n: 1 })).created).toBe(false);
    expect((await ask(second, { n: 1 })).created).toBe(true);
    expect((await ask(second, { n: 1 })).created).toBe(false);
    await expect(ask(first, { n: 2 })).rejects.toMatchObject({ code: "PB008" });
    await limits({ max_jobs_per_minute: 2 });
    await ask(first, { n: 2 });
    await ask(second, { n: 2 });
    await limits({ max_jobs_per_minute: 1 });
    await engine.sql`delete from podbase.jobs where user_id = ${second} and input = '{"n": 2}'`;
    await expect(ask(second, { n: 2 })).rejects.toMatchObject({ code: "PB008" });
  });
});

describe("the limit of unfinished jobs", () => {
  beforeAll(async () => {
    user = await engine.user();
  });

  it("refuses with PB009 until one has come to its end, whichever way", async () => {
    await limits({ max_open_jobs: 2 });
    const claimed = (await submit()).claims[0]!;
    const [waiting] = await submitMany([{}]);
    await expect(submit()).rejects.toMatchObject({ code: "PB009", detail: "60" });
    expect(await count()).toBe(2);
    await cancel(waiting!.job);
    await submitMany([{}]);
    await expect(submit()).rejects.toMatchObject({ code: "PB009" });
    await engine.complete(claimed);
    await submitMany([{}]);
    expect(await count()).toBe(4);
  });

  it("has room again when jobs were deleted, and keeps no more rows than the limit", async () => {
    await limits({ max_open_jobs: 3 });
    for (let n = 0; n < 10; n++) await cancel((await submitMany([{}]))[0]!.job);
    const kept = await engine.sql`select from podbase_private.counted_jobs where user_id = ${user}`;
    expect(kept.length).toBeLessThanOrEqual(3);
    await submitMany([{}, {}, {}]);
    await expect(submit()).rejects.toMatchObject({ code: "PB009" });
    await engine.sql`delete from podbase.jobs where user_id = ${user}`;
    await submitMany([{}, {}, {}]);
    await expect(submitMany([{}, {}, {}, {}])).rejects.toMatchObject({ code: "PB009", detail: "" });
  });
});

it("configure refuses limits below one", async () => {
  await expect(limits({ max_jobs_per_minute: 0 })).rejects.toMatchObject({ code: "23514" });
  await expect(limits({ max_open_jobs: -1 })).rejects.toMatchObject({ code: "23514" });
});

it("writes nothing for users without a limit", async () => {
  user = await engine.user();
  await submit();
  await submitMany([{}, {}]);
  expect(await engine.sql`select from podbase_private.counted_jobs where user_id = ${user}`).toHaveLength(0);
});

it("reads no more rows than the limit, however many jobs the user has had", async () => {
  const owner = await engine.user();
  await engine.sql`insert into podbase.jobs (user_id, kind, input, status, phase, created_at, finished_at)
    select ${owner}, 'k', '{}', 'completed', 'done', now() - n * interval '1 hour', now()
    from generate_series(1, 2000) n`;
  await engine.sql`analyze podbase.jobs`;
  await limits({ max_jobs_per_minute: 5, max_open_jobs: 5 });
  const plans: string[] = [];
  const sql = postgres(engine.url, { max: 1, onnotice: ({ message }) => void plans.push(message ?? "") });
  try {
    await sql.unsafe(
      "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on",
    );
    await sql.unsafe("set auto_explain.log_nested_statements = on; set client_min_messages = log");
    const request = { user: owner, kind: "k", input: {}, plan: { tasks: ONE } };
    for (let n = 0; n < 5; n++) await sql`select podbase.submit_job(${sql.json(request)})`;
    const counting = plans.filter((plan) => /offset (v_rate|p_max)/.test(plan));
    expect(counting).toHaveLength(10);
    for (const plan of counting) {
      expect(plan).toMatch(/Index (Only )?Scan using (jobs_of_user|counted_jobs_pkey)/);
      expect(plan).not.toMatch(/rows=\d{2,}(\.\d+)? loops|Rows Removed by Filter/);
    }
  } finally {
    await sql.end();
  }
});

it.each([
  ["rate", "PB008", { max_jobs_per_minute: 20, max_open_jobs: 25 }],
  ["number", "PB009", { max_jobs_per_minute: 25, max_open_jobs: 20 }],
])(
  "is exact in %s with sixteen connections, single and bulk, keys repeated",
  async (_what, code, limit) => {
    const sql = postgres(engine.url, { max: 16, onnotice: () => {} });
    try {
      const owners = [await engine.user(), await engine.user()];
      await limits(limit);
      const request = (owner: string, n: number) => ({
        user: owner,
        kind: "k",
        input: {},
        plan: { tasks: ONE },
        // Each key comes twice.
        idempotencyKey: `key ${n >> 1}`,
      });
      const one = (owner: string, n: number) =>
        sql`select podbase.submit_job(${sql.json(request(owner, n) as never)}) as r`.then(([row]) =>
          Number((row!.r as SubmitResult).created),
        );
      // Users of a bulk call in turn, and the other way round: nothing may deadlock.
      const bulk = (n: number) => {
        const both = n % 2 ? owners : owners.toReversed();
        const requests = both.map((owner) => ({ ...request(owner, n), idempotencyKey: `bulk ${n}` }));
        return sql`select podbase.submit_jobs(${sql.json(requests as never)}) as r`.then(() => 0);
      };
      const outcomes = await Promise.allSettled([
        ...Array.from({ length: 60 }, (_, n) => one(owners[n % 2]!, n)),
        ...Array.from({ length: 20 }, (_, n) => bulk(n)),
      ]);
      const codes = outcomes.flatMap((o) =>
        o.status === "rejected" ? [(o.reason as { code: string }).code] : [],
      );
      expect(new Set(codes)).toEqual(new Set([code]));
      for (const owner of owners) expect(await count(owner)).toBe(20);
      // Whoever repeats a key that made a job is never refused.
      const [kept] = await sql`select idempotency_key as key from podbase.jobs where user_id = ${owners[0]!}
                             and idempotency_key like 'key %' limit 1`;
      if (kept) expect(await one(owners[0]!, Number(kept.key.slice(4)) * 2)).toBe(0);
    } finally {
      await sql.end();
    }
  },
  60_000,
);
