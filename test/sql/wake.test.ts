import type { PassSummary } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, type Row } from "./harness.ts";

const { engine, user } = await engineOfFile(async ({ sql }) => {
  await sql`delete from podbase_private.heartbeats`;
  await sql`delete from podbase_private.endpoint_health`;
  await sql`delete from vault.secrets`;
  await sql`delete from net.http_request_queue`;
  await sql`delete from net._http_response`;
  await sql`update podbase_private.call_budgets set used_to = '-infinity'`;
});

const recordPass = (pass: Partial<PassSummary>) =>
  engine.sql`select podbase.record_pass(${engine.sql.json({
    ms: 5,
    submitted: 0,
    polled: 0,
    canceled: 0,
    checked: 0,
    refused: 0,
    failed: 0,
    unanswered: [],
    ...pass,
  } as never)})`;
const heartbeat = async (name: string) =>
  (await engine.sql`select at, detail from podbase_private.heartbeats where name = ${name}`)[0] as
    | Row
    | undefined;
const alerts = async () =>
  (await engine.sql`select code from podbase_private.alerts order by id`).map(({ code }) => code);
const setSecrets = (url = "https://p.test/") =>
  engine.sql`select vault.create_secret(${url}, 'podbase_project_url'),
                    vault.create_secret('sb_secret_x', 'podbase_secret_key')`;
/** Answers the call of reconcile that is under way, as pg_net would. */
const answer = (status: number | null, error: string | null = null) =>
  engine.sql`insert into net._http_response (id, status_code, error_msg)
             select (detail ->> 'request')::bigint, ${status}, ${error}
             from podbase_private.heartbeats where name = 'wake'`;

describe("the answer to a call of reconcile", () => {
  it("is heard by the next tick and kept in the heartbeat", async () => {
    await setSecrets();
    await engine.inQueue(user);
    await engine.clock(60);
    await engine.tick();
    await answer(202);
    await engine.polls();
    await engine.tick();
    expect((await heartbeat("wake"))!.detail).toMatchObject({
      ok: true,
      failures: 0,
      answer: { status: 202 },
    });
    expect(await alerts()).toEqual([]);
  });

  it.each([
    [401, "a wrong key"],
    [404, "a function that is not deployed"],
  ])("%i, %s, raises an alert", async (status) => {
    await setSecrets();
    await engine.inQueue(user);
    await engine.clock(60);
    await engine.tick();
    await answer(status);
    await engine.tick();
    expect(await alerts()).toEqual(["wake_failed"]);
  });

  it("that is a time-out raises one only when it comes three times in a row", async () => {
    await setSecrets();
    await engine.inQueue(user);
    for (let n = 0; n < 3; n++) {
      expect(await alerts()).toEqual([]);
      await engine.clock(60 + n);
      await engine.tick();
      await answer(null, "Timeout of 5000 ms reached");
    }
    await engine.tick();
    expect(await alerts()).toEqual(["wake_failed"]);
  });
});

describe("a tick that has nothing to do", () => {
  const row = async () =>
    (await engine.sql`select detail, xmin::text from podbase_private.heartbeats where name = 'wake'`)[0];

  it("says what a call would lack, once, and when it lacks nothing any more, and calls nobody", async () => {
    await engine.tick();
    const first = await row();
    expect(first?.detail).toEqual({ ok: false, missing: ["podbase_project_url", "podbase_secret_key"] });
    await engine.clock(10);
    await engine.tick();
    expect(await row()).toEqual(first);
    await setSecrets("");
    await engine.clock(20);
    await engine.tick();
    expect((await row())?.detail).toEqual({ ok: false, missing: ["podbase_project_url"] });
    await engine.sql`delete from vault.secrets`;
    await setSecrets();
    await engine.clock(30);
    await engine.tick();
    expect((await row())?.detail).toEqual({ ok: true, missing: [] });
    expect(await engine.sql`select from net.http_request_queue`).toEqual([]);
    expect(await alerts()).toEqual([]);
  });

  it("writes nothing while all is there", async () => {
    await setSecrets();
    await engine.tick();
    expect(await row()).toBeUndefined();
  });
});

describe("a tick that can't call", () => {
  it("still heals, names what is missing and raises an alert", async () => {
    const { job } = await engine.submit(user, ONE);
    await engine.inQueue(user);
    await engine.clock(60);
    await engine.tick();
    expect((await engine.job(job.id)).phase).toBe("confirming");
    expect((await heartbeat("wake"))!.detail).toMatchObject({
      ok: false,
      missing: ["podbase_project_url", "podbase_secret_key"],
    });
    expect(await alerts()).toEqual(["wake_broken"]);
  });

  it("because pg_net is gone still heals and says so", async () => {
    await setSecrets();
    const { job } = await engine.submit(user, ONE);
    await engine.inQueue(user);
    await engine.clock(60);
    await engine.sql`alter function net.http_post(text, jsonb, jsonb, jsonb, int) rename to http_post_gone`;
    try {
      await engine.tick();
    } finally {
      await engine.sql`alter function net.http_post_gone(text, jsonb, jsonb, jsonb, int) rename to http_post`;
    }
    expect((await engine.job(job.id)).phase).toBe("confirming");
    expect((await heartbeat("wake"))!.detail).toMatchObject({ ok: false, missing: ["pg_net"] });
    expect(await alerts()).toEqual(["wake_broken"]);
  });
});

describe("reconcile's silence", () => {
  it("is noticed after five minutes with work due", async () => {
    await setSecrets();
    await engine.inQueue(user);
    const tickThrough = async (from: number, to: number) => {
      for (let at = from; at <= to; at += 30) {
        await engine.clock(at);
        await engine.tick();
      }
    };
    await tickThrough(60, 330);
    expect(await alerts()).toEqual([]);
    await recordPass({});
    await tickThrough(360, 640);
    expect(await alerts()).toEqual([]);
    await tickThrough(670, 700);
    expect(await alerts()).toContain("reconcile_silent");
  });

  it("of the clock is noticed by reconcile", async () => {
    await engine.tick();
    await engine.clock(400);
    await recordPass({});
    expect(await alerts()).toEqual(["cron_silent"]);
  });
});

describe("the end of a pass", () => {
  it("leaves a heartbeat with what it did", async () => {
    await recordPass({ submitted: 3, polled: 2 });
    expect((await heartbeat("reconcile"))!.detail).toMatchObject({ submitted: 3, polled: 2, unanswered: 0 });
  });

  it("has what RunPod did not answer asked again soon, or when RunPod wishes", async () => {
    const [soon, later] = [await engine.inQueue(user), await engine.inQueue(user)];
    await engine.clock(60);
    expect(await engine.polls()).toHaveLength(2);
    await recordPass({
      unanswered: [
        { attempt: soon.claim.attempt, call: "status" },
        { attempt: later.claim.attempt, call: "status", retryAfterMs: 300_000 },
      ],
    });
    await engine.clock(97);
    expect((await engine.polls()).map(({ attempt }) => attempt)).toEqual([soon.claim.attempt]);
    await engine.clock(355);
    expect((await engine.polls()).map(({ attempt }) => attempt)).toEqual([soon.claim.attempt]);
    await engine.clock(362);
    expect((await engine.polls()).map(({ attempt }) => attempt)).toEqual([later.claim.attempt]);
    expect((await engine.attempt(later.claim)).state).toBe("in_queue");
  });

  it("gives up what nobody had an answer about until half an hour after its ttl, and says so", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.clock(86_400 + 1700);
    expect(await engine.polls()).toHaveLength(1);
    const unanswered = [{ attempt: claim.attempt, call: "status" as const }];
    await recordPass({ unanswered });
    expect((await engine.attempt(claim)).state).toBe("in_queue");
    await engine.clock(86_400 + 1900);
    expect(await engine.polls()).toHaveLength(1);
    await recordPass({ unanswered });
    expect(await engine.attempt(claim)).toMatchObject({ state: "lost", failure_class: "lost" });
    expect(await engine.job(id)).toMatchObject({ status: "processing", phase: "retrying" });
    expect(await alerts()).toContain("lost");
  });

  it("asks for no cancel any more when RunPod has forgotten what nobody had an answer about", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.sql`select podbase.operator_cancel_job(${id})`;
    const unanswered = [
      { attempt: claim.attempt, call: "cancel" as const },
      { attempt: claim.attempt, call: "status" as const },
    ];
    for (const seconds of [60, 86_400 + 1900]) {
      await engine.clock(seconds);
      expect(await engine.cancels()).toHaveLength(1);
      await recordPass({ unanswered });
    }
    expect(await engine.job(id)).toMatchObject({ status: "canceled" });
    await engine.clock(86_400 * 2);
    expect([await engine.cancels(), await engine.polls()]).toEqual([[], []]);
  });

  it("waits for who holds the job of what it gives up, and keeps nothing from them meanwhile", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.clock(86_400 + 1900);
    const [session] = await engine.sql`select pg_backend_pid() as pid`;
    let recorded: Promise<unknown> | undefined;
    await engine.pool.begin(async (tx) => {
      await tx`select from podbase.jobs where id = ${id} for update`;
      recorded = recordPass({ unanswered: [{ attempt: claim.attempt, call: "status" }] }).execute();
      await expect
        .poll(async () => (await tx`select cardinality(pg_blocking_pids(${session!.pid})) as n`)[0]!.n, {
          timeout: 20_000,
        })
        .toBe(1);
      await tx`update podbase_private.attempts set worker_id = 'w' where id = ${claim.attempt}`;
    });
    await recorded;
    expect(await engine.attempt(claim)).toMatchObject({ state: "lost", worker_id: "w" });
  });

  it("with refused keys raises an alert", async () => {
    await recordPass({ refused: 2 });
    expect(await alerts()).toEqual(["auth"]);
  });
});

describe("work that RunPod has forgotten", () => {
  it("is lost with an alert and tried again by policy", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.report(claim, { status: "IN_PROGRESS" });
    await engine.clock(2400);
    await engine.report(claim, { source: "poll", status: "NOT_FOUND" });
    expect(await engine.attempt(claim)).toMatchObject({ state: "lost", failure_class: "lost" });
    expect(await engine.job(id)).toMatchObject({ status: "processing", phase: "retrying" });
    expect(await alerts()).toEqual(["lost"]);
  });
});
