import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, READING, reportOf } from "./harness.ts";

const { engine, user } = await engineOfFile();

describe("a job", () => {
  it("goes from queued through processing to completed, its version rising by one a published change", async () => {
    const { job, claims, created } = await engine.submit(user);
    expect(created).toBe(true);
    expect(job).toMatchObject({ status: "queued", phase: "queued", version: 1 });
    expect(claims.map((claim) => claim.task)).toEqual(["text"]);

    await engine.accepted(...claims);
    expect(await engine.job(job.id)).toMatchObject({ status: "processing", phase: "waiting_for_worker" });
    await engine.report(claims[0]!, { source: "worker", status: "IN_PROGRESS" });
    expect(await engine.job(job.id)).toMatchObject({ status: "processing", phase: "running" });

    const { claims: next } = await engine.complete(claims[0]!, { text: "words" });
    expect(next.map((claim) => claim.task).sort()).toEqual(["audio", "pdf"]);
    expect(next[0]!.upstream).toEqual({ text: { text: "words" } });
    await engine.accepted(...next);
    for (const claim of next) await engine.complete(claim, {});

    const done = await engine.job(job.id);
    expect(done).toMatchObject({ status: "completed", phase: "done", progress: 1, notice: null });
    const events = await engine.sql`
      select version, job_status, job_phase from podbase_private.job_events where job_id = ${job.id} order by version`;
    expect(events.map((event) => Number(event.version))).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({
      version: done.version,
      job_status: "completed",
      job_phase: "done",
    });
  });

  it("tells its owner's private topic of every version, without input, output or token", async () => {
    const { job, claims } = await engine.submit(user, ONE, {
      input: { secret: "s3cr3t" },
    });
    await engine.accepted(...claims);
    await engine.complete(claims[0]!, { text: "s3cr3t" });
    const messages = await engine.sql`
      select payload, private, event from realtime.messages
      where topic = ${`podbase:${user}`} and payload ->> 'job' = ${job.id} order by (payload ->> 'version')::int`;
    expect(messages.map(({ payload }) => [payload.version, payload.status])).toEqual([
      [1, "queued"],
      [2, "processing"],
      [3, "completed"],
    ]);
    expect(messages.every((message) => message.private && message.event === "job")).toBe(true);
    expect(JSON.stringify(messages)).not.toMatch(
      new RegExp(`s3cr3t|${claims[0]!.token}|${claims[0]!.attempt}`),
    );
  });

  it.each([
    ["one task", ONE, {}],
    ["one task that starts later", ONE, { runAt: "2100-01-01T00:00:00Z" }],
    ["several tasks", READING, {}],
    ["a map", [{ name: "card", route: "gpu", map: { over: "input", path: ["cards"] } }], {}],
    ["one task that may be reused", ONE, { reuse: { scope: "user", ttlMs: 60_000 } }],
  ])("of %s is handed out as it is read, new and asked for again", async (what, tasks, more) => {
    const request = {
      ...("runAt" in more && more),
      plan: { tasks, ...("reuse" in more && more) },
      idempotencyKey: randomUUID(),
      input: { cards: ["sun", "moon"] },
    };
    const read = async (id: string) =>
      (await engine.sql`select podbase.operator_find_jobs(ids => array[${id}]::uuid[]) as jobs`)[0]!.jobs[0];
    const { job } = await engine.submit(user, tasks, request);
    expect(job.tasks).toHaveLength(what === "a map" ? 3 : tasks.length);
    expect(job).toEqual(await read(job.id));
    const again = await engine.submit(user, tasks, request);
    expect([again.created, again.job]).toEqual([false, await read(job.id)]);
  });

  it("is completed by tasks that finish at the same moment on two connections", async () => {
    const { job, claims } = await engine.submit(user);
    const { claims: next } = await engine.complete(claims[0]!);
    await Promise.all(
      next.map(
        (claim) =>
          engine.pool`select podbase.record_report(
            ${engine.pool.json(reportOf(claim, { status: "COMPLETED", output: {} }))})`,
      ),
    );
    expect(await engine.job(job.id)).toMatchObject({ status: "completed" });
  });

  it("fails when a required task fails, cancels what came after it, and keeps what was done", async () => {
    const { job, claims } = await engine.submit(user, [
      { name: "text", route: "gpu", maxAttempts: 1 },
      ...READING.slice(1),
    ]);
    await engine.report(claims[0]!, { status: "FAILED", error: "boom" });
    const failed = await engine.job(job.id);
    expect(failed).toMatchObject({ status: "failed", error: { code: "worker_error" } });
    expect(failed.tasks.text!.status).toBe("failed");
    expect(failed.tasks.audio).toMatchObject({ status: "canceled", notice: { code: "upstream_failed" } });
  });

  it("completes although an optional task failed", async () => {
    const { job, claims } = await engine.submit(user, [
      { name: "text", route: "gpu" },
      { name: "extra", route: "gpu", optional: true, maxAttempts: 1 },
    ]);
    const byTask = Object.fromEntries(claims.map((claim) => [claim.task, claim]));
    await engine.report(byTask.extra!, { status: "FAILED", error: "boom" });
    await engine.complete(byTask.text!);
    expect(await engine.job(job.id)).toMatchObject({ status: "completed", error: null });
  });
});

describe("a request", () => {
  it("gives the first job again for the same idempotency key, and only to the same user", async () => {
    const first = await engine.submit(user, READING, { idempotencyKey: "once" });
    const again = await engine.submit(user, READING, { idempotencyKey: "once" });
    expect(again).toMatchObject({ created: false, claims: [], job: { id: first.job.id } });
    const other = await engine.submit(await engine.user(), READING, { idempotencyKey: "once" });
    expect(other.created).toBe(true);
  });

  it("is refused for a key that was used with another input (PB001)", async () => {
    await engine.submit(user, READING, { idempotencyKey: "changed" });
    await expect(
      engine.submit(user, READING, { idempotencyKey: "changed", input: { n: 2 } }),
    ).rejects.toMatchObject({
      code: "PB001",
    });
  });

  it("is refused among many by the place of the first one that differs from its key's job (PB001)", async () => {
    const request = (idempotencyKey: string, n: number) => ({
      ...{ user, kind: "reading", input: { n }, plan: { tasks: READING }, idempotencyKey },
    });
    const submit = (...requests: object[]) =>
      engine.sql`select podbase.submit_jobs(${engine.sql.json(requests as never)})`;
    await submit(request("old", 1));
    for (const [place, requests] of [
      ["1", [request("new", 1), request("new", 2), request("new", 1), request("new", 3)]],
      ["0", [request("old", 2), request("old", 1), request("old", 2)]],
      ["2", [request("old", 1), request("old", 1), request("old", 2), request("old", 1)]],
    ] as const) {
      await expect(submit(...requests)).rejects.toMatchObject({
        ...{ code: "PB001", detail: requests[0].idempotencyKey, hint: place },
      });
    }
  });

  it("makes one job when the same key arrives on many connections at once", async () => {
    const request = engine.pool.json({
      user,
      kind: "reading",
      input: {},
      idempotencyKey: "race",
      plan: { tasks: [{ name: "a", route: "gpu" }] },
    });
    const results = await Promise.all(
      Array.from({ length: 8 }, () => engine.pool`select podbase.submit_job(${request}) as r`),
    );
    expect(new Set(results.map(([row]) => row!.r.job.id)).size).toBe(1);
    expect(results.filter(([row]) => row!.r.created)).toHaveLength(1);
  });

  it.each([
    ["no tasks", [], "PB003"],
    [
      "a name twice",
      [
        { name: "a", route: "gpu" },
        { name: "a", route: "gpu" },
      ],
      "PB003",
    ],
    ["a malformed name", [{ name: "a b", route: "gpu" }], "PB003"],
    ["an unknown upstream", [{ name: "a", route: "gpu", after: ["b"] }], "PB003"],
    [
      "a circle",
      [
        { name: "a", route: "gpu", after: ["b"] },
        { name: "b", route: "gpu", after: ["a"] },
      ],
      "PB003",
    ],
    ["an unknown route", [{ name: "a", route: "nowhere" }], "PB002"],
  ])("with %s in its plan is refused and leaves nothing behind", async (_what, tasks, code) => {
    const [before] = await engine.sql`select count(*) from podbase.jobs`;
    await expect(engine.submit(user, tasks)).rejects.toMatchObject({ code });
    expect(await engine.sql`select count(*) from podbase.jobs`).toEqual([before]);
  });
});
