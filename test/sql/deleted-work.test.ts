/** Work that RunPod has, or is being given, when its job is deleted: it is canceled there. */
import type { Cancel, Claim, PassSummary } from "@podbase/core";
import postgres from "postgres";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, READING } from "./harness.ts";

const { engine, user } = await engineOfFile(
  ({ sql }) => sql`update podbase_private.call_budgets set used_to = '-infinity'`,
);

const record = async (...attempts: string[]) =>
  (await engine.sql`select podbase.record_cancels(${attempts}::uuid[]) as r`)[0]!.r as number;
const isDue = async () => (await engine.sql`select podbase_private.work_is_due() as r`)[0]!.r as boolean;
const kept = () => engine.sql`select * from podbase_private.orphans`;
const remove = (job: string) => engine.sql`delete from podbase.jobs where id = ${job}`;
/** What a pass asks RunPod to cancel. */
const cancelOf = ({ attempt }: Claim): Cancel => ({
  attempt,
  providerId: `${attempt}-u1`,
  endpoint: { name: "one", providerId: "ep-one" },
});
const DAY = 86_400;

describe("work at RunPod whose job is deleted", () => {
  it("is canceled there, whoever deletes the job, and once", async () => {
    const leaver = await engine.user();
    const theirs = await engine.inQueue(leaver);
    const running = await engine.inQueue(user);
    await engine.report(running.claim, { status: "IN_PROGRESS" });
    expect(await isDue()).toBe(false);
    await engine.sql`delete from auth.users where id = ${leaver}`;
    await remove(running.id);
    expect(await isDue()).toBe(true);
    const asked = await engine.cancels();
    expect(asked).toHaveLength(2);
    expect(asked).toEqual(expect.arrayContaining([cancelOf(theirs.claim), cancelOf(running.claim)]));
    expect(await engine.cancels(), "asked once in 30 s").toEqual([]);
    expect(await record(theirs.claim.attempt, running.claim.attempt)).toBe(2);
    expect(await record(theirs.claim.attempt), "and told twice").toBe(0);
    expect(await kept()).toEqual([]);
    expect(await isDue()).toBe(false);
  });

  it("is asked for again after 30 s, or when RunPod wishes, until half an hour after its ttl", async () => {
    const { id, claim } = await engine.inQueue(user);
    await remove(id);
    expect(await engine.cancels()).toHaveLength(1);
    await engine.clock(31);
    expect(await engine.cancels()).toHaveLength(1);
    const pass: Partial<PassSummary> = {
      unanswered: [{ attempt: claim.attempt, call: "cancel", retryAfterMs: 300_000 }],
    };
    await engine.sql`select podbase.record_pass(${engine.sql.json(pass as never)})`;
    await engine.clock(200);
    expect(await engine.cancels()).toEqual([]);
    await engine.clock(340);
    expect(await engine.cancels()).toHaveLength(1);
    await engine.clock(DAY + 1801);
    expect(await engine.cancels()).toEqual([]);
    expect(await kept()).toEqual([]);
  });

  it("comes after what is canceled otherwise, and within the same limits", async () => {
    const [gone, canceled] = [await engine.inQueue(user), await engine.inQueue(user)];
    await remove(gone.id);
    await engine.sql`select podbase.operator_cancel_job(${canceled.id})`;
    expect(await engine.cancels(0)).toEqual([]);
    expect(await engine.cancels(1)).toEqual([{ ...cancelOf(canceled.claim), kind: "reading", task: "text" }]);
    expect(await engine.cancels(1)).toEqual([cancelOf(gone.claim)]);
    await engine.clock(31);
    await engine.sql`update podbase_private.call_budgets set used_to = podbase_private.now() + interval '2 s'
                     where operation = 'cancel'`;
    expect(await engine.cancels()).toEqual([]);
  });

  it("is also what was superseded and not yet canceled", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    await engine.clock(130);
    await engine.tick();
    await engine.clock(800);
    await engine.tick();
    const [second] = await engine.claim();
    await engine.accepted(second!);
    await engine.complete(claims[0]!);
    expect(await engine.job(job.id)).toMatchObject({ status: "completed" });
    await remove(job.id);
    expect(await engine.cancels()).toEqual([cancelOf(second!)]);
  });

  it("is none where all has ended", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.complete(claim);
    const failed = await engine.inQueue(user);
    await engine.report(failed.claim, { status: "FAILED", class: "bad_input", error: "no" });
    const canceled = await engine.inQueue(user);
    await engine.sql`select podbase.operator_cancel_job(${canceled.id})`;
    await record(canceled.claim.attempt);
    const waiting = await engine.submit(user, READING, { runAt: "2100-01-01T00:00:00Z" });
    for (const job of [id, failed.id, canceled.id, waiting.job.id]) await remove(job);
    expect(await kept()).toEqual([]);
  });

  it("is none in what retention deletes, also where an id was never learned", async () => {
    const { claims } = await engine.submit(user, ONE);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    await engine.clock(130);
    await engine.tick();
    await engine.complete(claims[0]!);
    const lost = await engine.submit(user, ONE);
    await engine.submission(lost.claims[0]!, { outcome: "unknown" });
    await engine.clock(300);
    await engine.tick();
    expect(await engine.attempt(lost.claims[0]!)).toMatchObject({ state: "superseded" });
    await engine.sql`select podbase.operator_cancel_job(${lost.job.id})`;
    await engine.configure({ settings: { keep_jobs: "2 days" } });
    try {
      await engine.clock(3 * DAY);
      await engine.tick();
    } finally {
      await engine.configure({ settings: { keep_jobs: null } });
    }
    expect(await engine.sql`select from podbase.jobs`).toHaveLength(0);
    expect(await kept()).toEqual([]);
  });
});

describe("work that is being given to RunPod when its job is deleted", () => {
  it("is canceled there as soon as its id is known", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await remove(job.id);
    expect(await engine.cancels()).toEqual([]);
    expect(await isDue()).toBe(false);
    await engine.submission(claims[0]!, { outcome: "accepted" });
    expect(await engine.cancels(), "without an id there is nothing to ask for").toEqual([]);
    await engine.accepted(claims[0]!);
    expect(await isDue()).toBe(true);
    expect(await engine.cancels()).toEqual([cancelOf(claims[0]!)]);
    expect(await record(claims[0]!.attempt)).toBe(1);
  });

  it("is forgotten half an hour after its ttl where nobody ever learned its id", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    await remove(job.id);
    await engine.clock(DAY + 1700);
    expect(await isDue()).toBe(false);
    await engine.clock(DAY + 1801);
    expect(await isDue()).toBe(true);
    expect(await engine.cancels()).toEqual([]);
    expect(await kept()).toEqual([]);
  });

  it("is canceled also when it is claimed, or its answer recorded, at that very moment", async () => {
    const other = postgres(engine.url, { max: 1, onnotice: () => {} });
    try {
      // A claim that has not committed holds the schedule; the delete waits for it, and sees its attempt.
      await engine.configure({ endpoints: { one: { providerId: "ep-one", enabled: false } } });
      const { job } = await engine.submit(user, ONE);
      await engine.configure({ endpoints: { one: { providerId: "ep-one" } } });
      let removed: Promise<unknown> = Promise.resolve();
      const claims = await other.begin(async (tx) => {
        const [row] = await tx`select podbase.claim_tasks(10) as r`;
        removed = remove(job.id).then(() => {});
        await waitsForLock();
        return row!.r as Claim[];
      });
      await removed;
      expect(claims).toHaveLength(1);
      // An answer that waits for the job's lock finds the job gone, and the attempt where the delete has put it.
      await engine.accepted(...claims);
      expect(await engine.cancels()).toEqual([cancelOf(claims[0]!)]);
      await record(claims[0]!.attempt);

      const second = await engine.submit(user, ONE);
      const [claim] = second.claims;
      let told: Promise<unknown> = Promise.resolve();
      await other.begin(async (tx) => {
        await tx`delete from podbase.jobs where id = ${second.job.id}`;
        told = engine.accepted(claim!);
        await waitsForLock();
      });
      await told;
      expect(await engine.cancels()).toEqual([cancelOf(claim!)]);
    } finally {
      await other.end();
    }
  });
});

/** Until a statement of this database waits for a lock. */
const waitsForLock = () =>
  expect
    .poll(
      async () =>
        (
          await engine.pool`select count(*)::int as n from pg_stat_activity
                            where datname = current_database() and wait_event_type = 'Lock'`
        )[0]!.n,
      { timeout: 20_000 },
    )
    .toBe(1);
