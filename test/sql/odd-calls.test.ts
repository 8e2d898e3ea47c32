/** What each function does when it is called by the wrong one, about the wrong thing, or with what makes no sense. */
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, READING } from "./harness.ts";

const { engine, user } = await engineOfFile();

const call = async (name: string, argument: unknown) =>
  (await engine.sql.unsafe(`select podbase.${name}($1) as r`, [argument as never]))[0]!.r;

describe("every function about one job or task", () => {
  it("knows none but the caller's own (PB005), and an operator's none that does not exist", async () => {
    const { job } = await engine.submit(user, READING);
    const { text } = (await engine.job(job.id)).tasks;
    const ids: Record<string, string> = { job_id: job.id, task_id: text!.id };
    const functions = await engine.sql<{ name: string; argument: string; own: boolean }[]>`
      select proname as name, proargnames[1] as argument,
             has_function_privilege('authenticated', oid, 'execute') as own
      from pg_proc
      where pronamespace = 'podbase'::regnamespace and proargtypes[0] = 'uuid'::regtype and pronargs = 1`;
    expect(functions.length).toBeGreaterThan(10);
    const stranger = await engine.user();
    for (const { name, argument, own } of functions) {
      const ask = (id: string | null) => {
        const text = `select podbase.${name}($1::uuid)`;
        return own ? engine.as(stranger, (tx) => tx.unsafe(text, [id])) : engine.sql.unsafe(text, [id]);
      };
      for (const id of [...(own ? [ids[argument]!] : []), randomUUID(), null]) {
        await expect(ask(id), `${name}(${id})`).rejects.toMatchObject({ code: "PB005" });
      }
    }
    expect(await engine.job(job.id)).toMatchObject({ status: "queued", version: "1" });
  });

  it("that lists jobs leaves out a stranger's, also those asked for by id", async () => {
    const { job } = await engine.submit(user, ONE);
    const stranger = await engine.user();
    for (const text of ["podbase.my_jobs()", `podbase.find_jobs(array['${job.id}'::uuid])`]) {
      const [row] = await engine.as(stranger, (tx) => tx.unsafe(`select ${text} as jobs`));
      expect(row!.jobs, text).toEqual([]);
    }
  });

  it("that lists jobs gives all that are asked for by id, and else the newest", async () => {
    const jobs = [];
    for (let n = 0; n < 3; n++) jobs.push((await engine.submit(user, ONE)).job.id);
    const list = async (more: string) => {
      const [row] = await engine.sql.unsafe(
        `select podbase.operator_find_jobs(${more}max_jobs => 2) as jobs`,
      );
      return row!.jobs.map(({ id }: { id: string }) => id);
    };
    expect((await list(`ids => '{${jobs}}', `)).sort()).toEqual(jobs.sort());
    expect(await list("")).toHaveLength(2);
  });
});

describe("a request", () => {
  it.each([
    ["no object", "text", "PB003"],
    ["no kind", { kind: undefined }, "PB003"],
    ["a kind of 101 letters", { kind: "k".repeat(101) }, "PB003"],
    ["an empty key", { idempotencyKey: "" }, "PB003"],
    ["a key of 256 letters", { idempotencyKey: "k".repeat(256) }, "PB003"],
    ["a user that is no id", { user: "me" }, "22P02"],
    [
      "101 tasks",
      { plan: { tasks: Array.from({ length: 101 }, (_, n) => ({ ...ONE[0], name: `t${n}` })) } },
      "PB003",
    ],
    ["tasks that are no list", { plan: { tasks: { text: ONE[0] } } }, "PB003"],
    ["a task without a route", { plan: { tasks: [{ name: "text" }] } }, "PB002"],
    ["a task after itself", { plan: { tasks: [{ ...ONE[0], after: ["text"] }] } }, "PB003"],
  ])("with %s is refused, alone and among others, and leaves nothing", async (_what, more, code) => {
    const good = { user, kind: "reading", input: {}, plan: { tasks: ONE } };
    const bad = typeof more === "string" ? more : { ...good, ...more };
    await expect(call("submit_job", bad)).rejects.toMatchObject({ code });
    await expect(call("submit_jobs", [good, bad])).rejects.toMatchObject({ code });
    expect(await engine.sql`select from podbase.jobs`).toHaveLength(0);
  });
});

describe("a whole number", () => {
  it("is one however it is written", async () => {
    const text = `{"user": "${user}", "kind": "reading", "input": {}, "priority": 5.0,
      "plan": {"tasks": [{"name": "text", "route": "gpu", "maxAttempts": 2.0}]}}`;
    for (const ask of [`submit_job('${text}')`, `submit_jobs('[${text}]')`]) {
      await engine.sql.unsafe(`select podbase.${ask}`);
    }
    expect(await engine.sql`select rank, max_attempts from podbase_private.task_schedule`).toEqual([
      { rank: -5, max_attempts: 2 },
      { rank: -5, max_attempts: 2 },
    ]);
  });
});

describe("a list that is none", () => {
  it.each([
    ["submit_jobs", []],
    ["record_reports", []],
    ["record_submissions", 0],
  ])("is refused by %s (PB003); an empty one is nothing", async (name, nothing) => {
    for (const none of [{ a: 1 }, null]) {
      await expect(call(name, none)).rejects.toMatchObject({ code: "PB003" });
    }
    expect(await call(name, [])).toEqual(nothing);
  });

  it("is refused when it has over 1,000 reports (PB003)", async () => {
    const reports = Array.from({ length: 1001 }, () => ({ attempt: randomUUID() }));
    await expect(call("record_reports", reports)).rejects.toMatchObject({ code: "PB003" });
  });
});

describe("a limit of nothing", () => {
  it.each(["claim_tasks", "claim_polls", "claim_cancels", "claim_file_deletes"])(
    "gives %s nothing",
    async (name) => {
      await engine.configure({ endpoints: { one: { providerId: "ep-one", enabled: false } } });
      await engine.submit(user, ONE);
      await engine.configure({ endpoints: { one: { providerId: "ep-one" } } });
      for (const none of [0, -1]) expect(await call(name, none)).toEqual([]);
      expect(await engine.sql`select from podbase_private.attempts`).toHaveLength(0);
    },
  );
});

describe("a stale attempt", () => {
  it("is not revived by an answer to its POST, a cancel, or a poll's report", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    const [first] = claims;
    await engine.report(first!, { status: "FAILED", error: "boom" });
    const before = await engine.job(job.id);
    for (const outcome of ["unknown", "not_sent", "rejected", "accepted"]) {
      expect(await engine.submission(first!, { outcome, providerId: "rp-1" }), outcome).toBe(0);
    }
    for (const status of ["IN_QUEUE", "IN_PROGRESS", "NOT_FOUND", "CANCELLED", "TIMED_OUT"] as const) {
      expect(await engine.report(first!, { source: "poll", status }), status).toMatchObject({
        proceed: false,
      });
    }
    await call("record_cancels", [first!.attempt]);
    expect(await engine.attempt(first!)).toMatchObject({ state: "failed", provider_id: "rp-1" });
    expect(await engine.job(job.id)).toEqual(before);
  });
});

describe("what nobody says", () => {
  it("of a POST is refused (PB003), so that no doubt is taken for a refusal", async () => {
    const { claims } = await engine.submit(user, ONE);
    for (const outcome of [undefined, "perhaps"]) {
      await expect(engine.submission(claims[0]!, { outcome })).rejects.toMatchObject({ code: "PB003" });
    }
    expect(await engine.attempt(claims[0]!)).toMatchObject({ state: "claimed" });
  });

  it("of a report's source counts as somebody without a right to leave out the token", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    for (const source of [undefined, "mars"] as never[]) {
      const report = { source, token: undefined as never, status: "COMPLETED" as const, output: {} };
      expect(await engine.report(claims[0]!, report)).toMatchObject({ verdict: "unauthorized" });
    }
    expect(await engine.job(job.id)).toMatchObject({ version: "1" });
  });

  it("of a report's status changes nothing", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    for (const status of [undefined, "DREAMING"] as never[]) {
      expect(await engine.report(claims[0]!, { status })).toMatchObject({
        verdict: "unchanged",
        proceed: true,
      });
    }
    expect(await engine.job(job.id)).toMatchObject({ version: "1" });
  });
});

describe("a clock in the past", () => {
  it("loses nothing: what was begun goes on, what is asked is done, and its time comes again", async () => {
    const running = await engine.submit(user, ONE);
    await engine.accepted(...running.claims);
    const failed = await engine.submit(user, ONE);
    await engine.report(failed.claims[0]!, { status: "FAILED", error: "boom" });
    await engine.clock(-7 * 86_400);
    await engine.tick();
    expect(await call("claim_polls", 10)).toEqual([]);
    expect(await engine.attempt(running.claims[0]!)).toMatchObject({ state: "in_queue" });
    expect(await engine.job(failed.job.id)).toMatchObject({ phase: "retrying" });

    const asked = await engine.submit(user, ONE);
    expect(asked.claims).toHaveLength(1);
    await engine.complete(asked.claims[0]!);
    await engine.complete(running.claims[0]!);
    for (const { job } of [asked, running]) {
      expect(await engine.job(job.id)).toMatchObject({ status: "completed" });
      const events = await engine.sql`
        select version::int as n from podbase_private.job_events where job_id = ${job.id} order by version`;
      expect(events.map(({ n }) => n)).toEqual(events.map((_, at) => at + 1));
    }
    await engine.clock(600);
    await engine.tick();
    expect(await engine.claim()).toMatchObject([{ job: failed.job.id, number: 2 }]);
  });
});
