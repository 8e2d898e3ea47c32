/** A COMPLETED that comes after its attempt has ended: it wins while the task is open, because the work is paid. */
import type { Claim } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, type Row, WITH_FILE } from "./harness.ts";

const { engine, user } = await engineOfFile();

const ask = (name: string, job: string) =>
  engine.as(user, (tx) => tx.unsafe(`select podbase.${name}($1)`, [job]));

/** Every end of an attempt after which its task is open: by itself, or because its owner asks for another try. */
const ENDS: Record<string, (claim: Claim) => Promise<unknown>> = {
  async failed(claim) {
    await engine.report(claim, { status: "FAILED", error: "job timed out after 1 retries" });
  },
  async timed_out(claim) {
    await engine.report(claim, { status: "TIMED_OUT" });
    await ask("retry_job", claim.job);
  },
  async rejected(claim) {
    await engine.submission(claim, { outcome: "rejected", class: "rate_limited" });
  },
  async canceled(claim) {
    await engine.accepted(claim);
    await ask("cancel_job", claim.job);
    await engine.sql`select podbase.record_cancels(${[claim.attempt]}::uuid[])`;
    await ask("retry_job", claim.job);
  },
  async superseded(claim) {
    await engine.submission(claim, { outcome: "unknown" });
    await engine.clock(130);
    await engine.tick();
  },
  async lost(claim) {
    await engine.accepted(claim);
    await engine.clock(100);
    await engine.report(claim, { status: "NOT_FOUND", source: "poll" });
  },
};

/** How far the next attempt is. */
const NEXT: Record<string, (claim: Claim) => Promise<unknown>> = {
  claimed: async () => {},
  submit_unknown: (claim) => engine.submission(claim, { outcome: "unknown" }),
  in_queue: (claim) => engine.accepted(claim),
  in_progress: (claim) => engine.report(claim, { status: "IN_PROGRESS" }),
};

/** A job whose first attempt has ended so, and its second one, which is claimed. */
async function ended(how: string): Promise<{ id: string; first: Claim; second: Claim }> {
  const { job, claims } = await engine.submit(user, ONE);
  const first = claims[0]!;
  await ENDS[how]!(first);
  expect(await engine.attempt(first)).toMatchObject({ state: how });
  await engine.clock(1000);
  await engine.tick();
  const [second] = await engine.claim();
  expect(second).toMatchObject({ job: job.id, number: 2 });
  return { id: job.id, first, second: second! };
}

/** What the history says of the job's last state. */
const told = async (id: string): Promise<Row | undefined> =>
  (
    await engine.sql`select version, job_status as status from podbase_private.job_events
      where job_id = ${id} order by version desc limit 1`
  )[0];

it("a result that lies in Storage when nobody ever learned whether RunPod took the work is not lost", async () => {
  const { job, claims } = await engine.submit(user, [{ ...WITH_FILE[0]!, submitPolicy: "at_most_once" }]);
  await engine.submission(claims[0]!, { outcome: "unknown" });
  await engine.upload(user, claims[0]!, "text", 5);
  await engine.clock(86_500);
  await engine.tick();
  expect(await engine.job(job.id)).toMatchObject({ status: "completed" });
  expect(await engine.attempt(claims[0]!)).toMatchObject({ state: "completed", failure_class: null });
});

describe.each(Object.keys(ENDS))("a result of an attempt that was %s", (how) => {
  it.each(Object.keys(NEXT))(
    "wins over a newer one that is %s, which is canceled at RunPod",
    async (next) => {
      const { id, first, second } = await ended(how);
      await NEXT[next]!(second);
      expect((await engine.complete(first, { by: "first" })).verdict).toBe("applied");
      expect(await engine.attempt(first)).toMatchObject({ state: "completed", failure_class: null });
      expect(await engine.attempt(second)).toMatchObject({
        state: "superseded",
        cancel_requested_at: expect.anything(),
      });
      const job = await engine.job(id);
      expect(job).toMatchObject({ status: "completed", tasks: { text: { output: { by: "first" } } } });
      expect(await told(id)).toEqual({ version: job.version, status: "completed" });
      // Nothing changes it any more.
      for (const claim of [first, second]) await engine.complete(claim, { by: "too late" });
      expect(await engine.job(id)).toEqual(job);
    },
  );

  it("wins while the task waits to be tried again", async () => {
    const { job, claims } = await engine.submit(user, ONE);
    await ENDS[how]!(claims[0]!);
    expect((await engine.complete(claims[0]!)).verdict).toBe("applied");
    expect(await engine.job(job.id)).toMatchObject({ status: "completed" });
    await engine.clock(1000);
    await engine.tick();
    expect(await engine.claim()).toEqual([]);
  });

  it("is late once a newer one has completed, and no other word of it counts", async () => {
    const { id, first, second } = await ended(how);
    for (const status of [
      "FAILED",
      "IN_PROGRESS",
      "IN_QUEUE",
      "CANCELLED",
      "TIMED_OUT",
      "NOT_FOUND",
    ] as const) {
      expect((await engine.report(first, { status })).verdict, status).toBe("late");
    }
    await engine.complete(second, { by: "second" });
    const job = await engine.job(id);
    expect((await engine.complete(first)).verdict).toBe("late");
    expect(await engine.job(id)).toEqual(job);
  });
});
