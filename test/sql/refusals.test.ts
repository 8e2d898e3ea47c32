import { describe, expect, it } from "vitest";
import { engineOfFile, ONE } from "./harness.ts";

const { engine, user } = await engineOfFile();

describe("every function of the API", () => {
  it("refuses the roles it is not for (42501)", async () => {
    const functions = await engine.sql<{ name: string; oid: number; call: string }[]>`
      select p.oid, p.proname as name, format('select podbase.%I(%s)', p.proname, (
        select string_agg(format('null::%s', format_type(t, null)), ', ') from unnest(p.proargtypes) t)) as call
      from pg_proc p where p.pronamespace = 'podbase'::regnamespace`;
    expect(functions.length).toBeGreaterThan(15);
    for (const { oid, call } of functions) {
      const [roles] = await engine.sql`
        select has_function_privilege('authenticated', ${oid}::oid, 'execute') as signed_in,
               has_function_privilege('anon', ${oid}::oid, 'execute') as anonymous`;
      expect(roles!.anonymous, call).toBe(false);
      await expect(
        engine.as(null, (tx) => tx.unsafe(call)),
        call,
      ).rejects.toMatchObject({ code: "42501" });
      if (roles!.signed_in) continue;
      await expect(
        engine.as(user, (tx) => tx.unsafe(call)),
        call,
      ).rejects.toMatchObject({ code: "42501" });
    }
  });
});

describe("submit_job", () => {
  const plan = { tasks: ONE };
  it.each([
    ["no user", { user: undefined }, "PB003"],
    ["a user who does not exist", { user: "00000000-0000-4000-8000-000000000000" }, "23503"],
    ["no input", { input: undefined }, "PB003"],
    ["no plan", { plan: undefined }, "PB003"],
    ["a priority out of range", { priority: 101 }, "PB003"],
    ["an input over 9 MiB", { input: { text: "x".repeat(9.5 * 1024 * 1024) } }, "PB007"],
    ["an unknown submit policy", { plan: { tasks: [{ ...ONE[0], submitPolicy: "maybe" }] } }, "PB003"],
    ["no attempts", { plan: { tasks: [{ ...ONE[0], maxAttempts: 0 }] } }, "PB003"],
    [
      "an unknown route for a failure",
      { plan: { tasks: [{ ...ONE[0], reroute: { lost: "nowhere" } }] } },
      "PB002",
    ],
    ["a reuse among nobody", { plan: { ...plan, reuse: { scope: "nobody", ttlMs: 1 } } }, "PB003"],
    ["a reuse without an end", { plan: { ...plan, reuse: { scope: "global" } } }, "PB003"],
  ])("refuses %s", async (_what, more, code) => {
    await expect(engine.submit(user, ONE, more)).rejects.toMatchObject({ code });
    expect(await engine.sql`select from podbase.jobs`).toHaveLength(0);
  });
});

describe("record_report", () => {
  it("refuses a report over 20 MB (PB007), and knows no attempt of another job's token", async () => {
    const [one, other] = [await engine.submit(user, ONE), await engine.submit(user, ONE)];
    const [mine, foreign] = [one.claims[0]!, other.claims[0]!];
    await expect(
      engine.report(mine, { status: "COMPLETED", output: "x".repeat(20_100_000) }),
    ).rejects.toMatchObject({ code: "PB007" });
    expect(await engine.report(mine, { status: "COMPLETED", token: foreign.token })).toMatchObject({
      verdict: "unauthorized",
    });
  });

  it("changes nothing for a stale attempt, nor with a clock in the past", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await engine.report(claims[0]!, { status: "FAILED", error: "boom" });
    await engine.clock(600);
    await engine.tick();
    const [second] = await engine.claim();
    expect(await engine.report(claims[0]!, { status: "IN_PROGRESS", source: "worker" })).toMatchObject({
      verdict: "late",
      proceed: false,
    });
    await engine.clock(-86_400);
    await engine.tick();
    expect(await engine.attempt(second!)).toMatchObject({ state: "claimed" });
    expect(await engine.job(job.id)).toMatchObject({ phase: "retrying" });
  });
});

describe("record_submissions and record_cancels", () => {
  it("skip attempts that do not exist", async () => {
    const attempt = "00000000-0000-4000-8000-000000000000";
    const [row] = await engine.sql`
      select podbase.record_submissions(${engine.sql.json([{ attempt, outcome: "accepted", providerId: "x" }])}) as s,
             podbase.record_cancels(${[attempt]}::uuid[]) as c`;
    expect(row).toEqual({ s: 0, c: 0 });
  });
});

describe("configure", () => {
  it.each([
    ["a value out of range", { endpoints: { x: { providerId: "x", maxInFlight: 0 } } }, "23514"],
    ["an unknown endpoint in a route", { routes: { x: ["nowhere"] } }, "23503"],
    ["an unknown setting", { settings: { keep_everything: true } }, "PB003"],
    [
      "the weight of a user who does not exist",
      { users: { "00000000-0000-4000-8000-000000000000": {} } },
      "23503",
    ],
  ])("refuses %s", async (_what, config, code) => {
    await expect(engine.configure(config)).rejects.toMatchObject({ code });
  });
});
