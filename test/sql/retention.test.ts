import { describe, expect, it } from "vitest";
import { engineOfFile, ONE } from "./harness.ts";

const DAY = 86_400;
const { engine, user } = await engineOfFile((engine) =>
  engine.configure({
    settings: { keep_jobs: null, keep_payloads: null, keep_events: "30 days", keep_reports: "7 days" },
  }),
);

/** Completed jobs, the first of them `days` after now. */
async function finished(count: number, days = 0, owner = user): Promise<string[]> {
  await engine.clock(days * DAY);
  const ids = [];
  for (let n = 0; n < count; n++) {
    const { job, claims } = await engine.submit(owner, ONE);
    await engine.complete(claims[0]!, { text: "words" });
    ids.push(job.id);
  }
  return ids;
}

const rows = async (table: string) =>
  (await engine.sql.unsafe(`select count(*)::int as n from ${table}`))[0]!.n as number;

describe("retention", () => {
  it("keeps what users asked for and forgets reports and events in time, by default", async () => {
    await finished(2);
    await engine.clock(8 * DAY);
    await engine.tick();
    expect(await rows("podbase_private.webhook_inbox")).toBe(0);
    expect(await rows("podbase_private.job_events")).toBeGreaterThan(0);
    await engine.clock(38 * DAY);
    await engine.tick();
    expect(await rows("podbase_private.job_events")).toBe(0);
    expect(await rows("podbase.jobs")).toBe(2);
  });

  it("deletes finished jobs with all that hangs on them, and no open ones", async () => {
    await engine.configure({ settings: { keep_jobs: "10 days" } });
    await finished(3);
    const open = await engine.submit(user, ONE);
    await engine.accepted(...open.claims);
    const [young] = await finished(1, 9);
    await engine.clock(11 * DAY);
    await engine.tick();
    const left = await engine.sql`select id from podbase.jobs`;
    expect(left.map((row) => row.id).sort()).toEqual([open.job.id, young].sort());
    for (const table of ["podbase.tasks", "podbase_private.task_schedule", "podbase_private.attempts"]) {
      expect(await rows(table), table).toBe(2);
    }
  });

  it("empties payloads once, in batches, leaving states and the newer ones", async () => {
    await engine.configure({ settings: { keep_payloads: "10 days" } });
    const old = await finished(5);
    const [young] = await finished(1, 9);
    await engine.clock(11 * DAY);
    for (let batch = 0; batch < 4; batch++) await engine.sql`select podbase_private.retain(2)`;
    for (const id of old) {
      expect(await engine.job(id)).toMatchObject({
        status: "completed",
        input: {},
        tasks: { text: { output: null } },
      });
    }
    expect(await engine.job(young!)).toMatchObject({
      input: { n: 1 },
      tasks: { text: { output: { text: "words" } } },
    });
  });

  it("waits for nobody: what somebody holds is taken later, unless it is tried again meanwhile", async () => {
    await engine.configure({ settings: { keep_payloads: "10 days" } });
    const jobs: string[] = [];
    for (let n = 0; n < 3; n++) {
      const { job, claims } = await engine.submit(user, ONE);
      await engine.report(claims[0]!, { status: "FAILED", error: "invalid input" });
      jobs.push(job.id);
    }
    const [retried, held, free] = jobs as [string, string, string];
    await engine.clock(11 * DAY);
    await engine.pool.begin(async (tx) => {
      await tx`select from podbase.jobs where id in (${retried}, ${held}) for update`;
      await engine.tick();
    });
    for (const id of [retried, held])
      expect(await engine.job(id)).toMatchObject({ input: { n: 1 }, trimmed_at: null });
    expect(await engine.job(free)).toMatchObject({ input: {} });
    await engine.as(user, (tx) => tx`select podbase.retry_job(${retried})`);
    await engine.tick();
    expect(await engine.job(held)).toMatchObject({ input: {} });
    expect(await engine.job(retried)).toMatchObject({ status: "queued", input: { n: 1 }, trimmed_at: null });
  });

  it("leaves idempotency keys what they were, though the input to compare is gone", async () => {
    await engine.configure({ settings: { keep_payloads: "10 days" } });
    const first = await engine.submit(user, ONE, { idempotencyKey: "kept" });
    await engine.complete(first.claims[0]!);
    await engine.clock(11 * DAY);
    await engine.tick();
    expect(await engine.job(first.job.id)).toMatchObject({ input: {} });
    expect(await engine.submit(user, ONE, { idempotencyKey: "kept" })).toMatchObject({
      created: false,
      job: { id: first.job.id },
    });
    await expect(engine.submit(user, ONE, { idempotencyKey: "kept", kind: "another" })).rejects.toMatchObject(
      { code: "PB001" },
    );
  });

  it("goes with the user: nothing of theirs is left when their account is deleted", async () => {
    const leaver = await engine.user();
    await finished(2, 0, leaver);
    await engine.sql`delete from auth.users where id = ${leaver}`;
    for (const table of [
      "podbase.tasks",
      "podbase_private.task_schedule",
      "podbase_private.attempts",
      "podbase_private.webhook_inbox",
      "podbase_private.job_events",
    ]) {
      expect(await rows(table), table).toBe(0);
    }
  });
});
