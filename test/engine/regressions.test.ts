/** Cases that chance found (model.test.ts), each in its smallest form. */
import { describe, expect, it } from "vitest";
import { engineOfFile } from "../sql/harness.ts";

const STOPPED = { podbase: { stopped: true } };
const { engine, user } = await engineOfFile();

/** A job of one task whose first attempt was superseded by a second one, which is claimed. */
async function superseded(task: object = {}) {
  const { job, claims } = await engine.submit(user, [{ name: "text", route: "gpu", ...task }]);
  const first = claims[0]!;
  await engine.submission(first, { outcome: "unknown" });
  await engine.clock(130);
  await engine.tick();
  await engine.clock(800);
  await engine.tick();
  const [second] = await engine.claim();
  expect(second).toMatchObject({ job: job.id, number: 2 });
  return { id: job.id, first, second: second! };
}

describe("a worker that was told to stop", () => {
  it.each([
    ["", {}],
    [" and whose output fits no schema", { class: "invalid_output" as const }],
  ])("does not complete the task by its empty result%s", async (_, more) => {
    const { id, first } = await superseded();
    const said = await engine.report(first, { status: "COMPLETED", output: STOPPED, ...more });
    expect(said.verdict).toBe("late");
    expect(await engine.job(id)).toMatchObject({ status: "processing" });
  });

  it("ends a canceled task as canceled", async () => {
    const { job, claims } = await engine.submit(user, [{ name: "text", route: "gpu" }]);
    await engine.accepted(...claims);
    await engine.as(user, (tx) => tx`select podbase.cancel_job(${job.id})`);
    await engine.report(claims[0]!, { status: "COMPLETED", output: STOPPED });
    expect(await engine.job(job.id)).toMatchObject({ status: "canceled" });
  });
});

describe("a late result of a superseded attempt", () => {
  it("without its artifact is late and leaves the newer attempt alone", async () => {
    const { id, first, second } = await superseded({ artifacts: { file: "text/plain" } });
    expect((await engine.complete(first)).verdict).toBe("late");
    expect(await engine.attempt(second)).toMatchObject({ state: "claimed" });
    expect(await engine.job(id)).toMatchObject({ status: "processing" });
  });

  it("that does not fit its schema is late", async () => {
    const { id, first } = await superseded();
    expect(
      (await engine.report(first, { status: "COMPLETED", output: {}, class: "invalid_output" })).verdict,
    ).toBe("late");
    expect(await engine.job(id)).toMatchObject({ status: "processing" });
  });

  it("supersedes an attempt that is being claimed at the same moment", async () => {
    const { job, claims } = await engine.submit(user, [{ name: "text", route: "gpu" }]);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    await engine.clock(130);
    await engine.tick();
    await engine.sql`update podbase_private.task_schedule set run_at = now() where job_id = ${job.id}`;
    await engine.sql`select podbase_private.promote(10)`;
    let late: Promise<unknown> | undefined;
    await engine.pool.begin(async (tx) => {
      await tx`select podbase.claim_tasks(10)`;
      late = engine.complete(claims[0]!);
      // The report waits for the claim's row, or has passed it by; either way the claim commits next.
      await expect
        .poll(async () => {
          const [row] = await tx`select count(*)::int as n from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`;
          const [done] = await tx`select status from podbase.jobs where id = ${job.id}`;
          return row!.n > 0 || done!.status === "completed";
        })
        .toBe(true);
    });
    await late;
    expect(await engine.job(job.id)).toMatchObject({ status: "completed" });
    expect(
      await engine.sql`select number, state, next_check_at from podbase_private.attempts
        where job_id = ${job.id} order by number`,
    ).toMatchObject([
      { number: 1, state: "completed" },
      { number: 2, state: "superseded", next_check_at: null },
    ]);
  });
});

describe("work whose RunPod id was never learned", () => {
  it("is given up after the ttl when its worker called but no result came", async () => {
    const { job, claims } = await engine.submit(user, [{ name: "text", route: "gpu", maxAttempts: 1 }]);
    await engine.report(claims[0]!, { source: "worker", status: "IN_PROGRESS" });
    for (let seconds = 0; seconds <= 90_000; seconds += 600) {
      await engine.clock(seconds);
      await engine.sql`select podbase.claim_polls(10)`;
      await engine.tick();
    }
    expect(await engine.job(job.id)).toMatchObject({ status: "failed", error: { code: "lost" } });
  });
});

describe("at_most_once", () => {
  const DEAR = [{ name: "text", route: "gpu", submitPolicy: "at_most_once" }];

  it("never tries again what RunPod has forgotten: it may have been done", async () => {
    const { job, claims } = await engine.submit(user, DEAR);
    await engine.accepted(...claims);
    await engine.report(claims[0]!, { source: "worker", status: "IN_PROGRESS" });
    await engine.report(claims[0]!, { source: "poll", status: "NOT_FOUND" });
    expect(await engine.job(job.id)).toMatchObject({ status: "failed", error: { code: "lost" } });
  });

  it("polls every ten minutes what was confirmed after its window, and not first at the ttl", async () => {
    const { claims } = await engine.submit(user, DEAR);
    await engine.submission(claims[0]!, { outcome: "unknown" });
    await engine.clock(130);
    await engine.tick();
    await engine.report(claims[0]!, { status: "IN_PROGRESS", providerId: "rp-1" });
    await engine.clock(130 + 601);
    const [row] = await engine.sql`select podbase.claim_polls(10) as polls`;
    expect(row!.polls).toMatchObject([{ attempt: claims[0]!.attempt }]);
  });
});

describe("routes that share an endpoint", () => {
  it("share its cap", async () => {
    await engine.configure({
      endpoints: { shared: { providerId: "ep-shared", maxInFlight: 2 } },
      routes: { left: ["shared"], right: ["shared"] },
    });
    const { claims } = await engine.submit(user, [
      { name: "a", route: "left" },
      { name: "b", route: "left" },
      { name: "c", route: "right" },
    ]);
    expect(claims).toHaveLength(2);
  });
});

describe("a canceled job", () => {
  it("tells of each task's end once, also of one that an optional task's end had opened", async () => {
    const { job, claims } = await engine.submit(user, [
      { name: "a", route: "gpu", optional: true },
      // Their order is chance, so several: one of them at least comes after the optional one.
      ...["b", "c", "d", "e", "f"].map((name) => ({ name, route: "gpu", after: ["a"] })),
    ]);
    await engine.submission(claims[0]!, { outcome: "not_sent" });
    await engine.as(user, (tx) => tx`select podbase.cancel_job(${job.id})`);
    const ends = await engine.sql`select task_id from podbase_private.job_events
      where job_id = ${job.id} and task_status = 'canceled'`;
    expect(new Set(ends.map((end) => end.task_id)).size).toBe(ends.length);
    expect(ends).toHaveLength(6);
  });
});

describe("a task that is retried while what it waits for has failed", () => {
  it("is refused (PB006), and nothing is told", async () => {
    const { job, claims } = await engine.submit(user, [
      { name: "a", route: "gpu" },
      { name: "b", route: "gpu", after: ["a"] },
    ]);
    await engine.report(claims[0]!, { status: "FAILED", class: "bad_input", error: "no" });
    const { b } = (await engine.job(job.id)).tasks;
    const { version } = await engine.job(job.id);
    await expect(engine.as(user, (tx) => tx`select podbase.retry_task(${b!.id})`)).rejects.toMatchObject({
      code: "PB006",
    });
    expect(await engine.job(job.id)).toMatchObject({
      status: "failed",
      version,
      tasks: { b: { status: "canceled", notice: { code: "upstream_failed" } } },
    });
  });
});
