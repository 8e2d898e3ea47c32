import { randomUUID } from "node:crypto";
import type { Claim } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, READING, type Row } from "./harness.ts";

const { engine, user } = await engineOfFile();

/** Calls a function of the API as a user, and gives the job it returns. */
const ask = (caller: string | null, name: string, id: string): Promise<Row> =>
  engine.as(caller, async (tx) => (await tx.unsafe(`select podbase.${name}($1) as job`, [id]))[0]!.job);
/** The same as an operator. */
const operate = async (name: string, id: string): Promise<Row> =>
  (await engine.sql.unsafe(`select podbase.operator_${name}($1) as job`, [id]))[0]!.job;
const task = async (job: string, name: string) => (await engine.job(job)).tasks[name]!.id as string;

/** A reading whose text is done and whose audio has failed for good. */
async function halfFailed(): Promise<{ id: string; pdf: Claim }> {
  const { job, claims } = await engine.submit(user, READING);
  const next = (await engine.complete(claims[0]!, { text: "words" })).claims;
  const by = Object.fromEntries(next.map((claim) => [claim.task, claim]));
  await engine.report(by.audio!, { status: "FAILED", class: "bad_input", error: "no" });
  return { id: job.id, pdf: by.pdf! };
}

describe("cancel", () => {
  it("of a job opens nothing by the end of an optional task, least of all a list", async () => {
    const tasks = [
      { name: "hint", route: "gpu", optional: true },
      { name: "image", route: "gpu", after: ["hint"], map: { over: "input", path: ["list"] } },
      { name: "pdf", route: "gpu", after: ["hint", "image"] },
    ];
    // Tasks have random ids, and the order that they are canceled in follows from them.
    for (let n = 0; n < 6; n++) {
      const { job, claims } = await engine.submit(user, tasks, { input: { list: [1, 2] } });
      await engine.submission(claims[0]!, { outcome: "not_sent", class: "rate_limited" });
      await ask(user, "cancel_job", job.id);
      const after = await engine.job(job.id);
      expect(after).toMatchObject({ status: "canceled", phase: "done" });
      expect(Object.keys(after.tasks).sort()).toEqual(["hint", "image", "pdf"]);
      for (const task of Object.values(after.tasks)) expect(task).toMatchObject({ status: "canceled" });
    }
    await engine.clock(600);
    await engine.tick();
    expect(await engine.claim()).toEqual([]);
  });
});

describe("retry", () => {
  it("of a failed job runs again what failed, and nothing that completed", async () => {
    const { id, pdf } = await halfFailed();
    await engine.complete(pdf, {});
    const before = await engine.job(id);
    expect(before).toMatchObject({ status: "failed", tasks: { text: { status: "completed" } } });
    await ask(user, "retry_job", id);
    expect(await engine.job(id)).toMatchObject({
      status: "processing",
      error: null,
      finished_at: null,
      tasks: { audio: { status: "queued", error: null }, text: { version: before.tasks.text!.version } },
    });
    const claims = await engine.claim();
    expect(claims).toMatchObject([{ task: "audio", number: 2, upstream: { text: { text: "words" } } }]);
    await engine.complete(claims[0]!, {});
    expect(await engine.job(id)).toMatchObject({ status: "completed", error: null });
  });

  it("of a canceled job opens all of it again, in the order of its plan", async () => {
    const { job, claims } = await engine.submit(user, READING);
    await engine.accepted(...claims);
    await ask(user, "cancel_job", job.id);
    await engine.sql`select podbase.record_cancels(${claims.map(({ attempt }) => attempt)}::uuid[])`;
    await ask(user, "retry_job", job.id);
    expect(await engine.job(job.id)).toMatchObject({
      tasks: { text: { status: "queued" }, audio: { status: "blocked" }, pdf: { status: "blocked" } },
    });
    expect(await engine.claim()).toMatchObject([{ task: "text", number: 2 }]);
  });

  it("of one task opens it and what waited for it, while the rest goes on", async () => {
    const { job, claims } = await engine.submit(user, READING);
    await engine.report(claims[0]!, { status: "FAILED", class: "bad_input", error: "no" });
    await operate("retry_task", await task(job.id, "text"));
    expect(await engine.job(job.id)).toMatchObject({
      status: "queued",
      tasks: { text: { status: "queued" }, audio: { status: "blocked", notice: null } },
    });
    const events = await engine.sql`select actor from podbase_private.job_events
      where job_id = ${job.id} order by version desc limit 1`;
    expect(events[0]!.actor).toBe("operator");
  });

  it("is refused when nothing failed (PB006), to strangers and for what does not exist (PB005)", async () => {
    const { id } = await halfFailed();
    const stranger = await engine.user();
    await expect(ask(user, "retry_job", id)).rejects.toMatchObject({ code: "PB006" });
    await expect(ask(user, "retry_task", await task(id, "text"))).rejects.toMatchObject({ code: "PB006" });
    for (const [name, target] of [
      ["retry_job", id],
      ["cancel_job", id],
      ["explain_job", id],
      ["queue_position", id],
      ["retry_task", await task(id, "audio")],
      ["cancel_task", await task(id, "pdf")],
    ] as const) {
      await expect(ask(stranger, name, target), name).rejects.toMatchObject({ code: "PB005" });
      await expect(ask(user, name, randomUUID()), name).rejects.toMatchObject({ code: "PB005" });
      await expect(ask(null, name, target), name).rejects.toMatchObject({ code: "42501" });
    }
    for (const name of ["cancel_job", "cancel_task", "retry_job", "retry_task", "explain_job"]) {
      await expect(ask(user, `operator_${name}`, id), name).rejects.toMatchObject({ code: "42501" });
      await expect(operate(name, randomUUID()), name).rejects.toMatchObject({ code: "PB005" });
    }
  });
});

describe("cancel_task", () => {
  it("ends one task and what depends on it, and leaves the others alone", async () => {
    const { job, claims } = await engine.submit(user, READING);
    const next = (await engine.complete(claims[0]!, { text: "words" })).claims;
    await engine.accepted(...next);
    await ask(user, "cancel_task", await task(job.id, "audio"));
    expect(await engine.job(job.id)).toMatchObject({
      tasks: { audio: { phase: "canceling" }, pdf: { phase: "waiting_for_worker" } },
    });
    const audio = next.find((claim) => claim.task === "audio")!;
    const [cancels] = await engine.sql`select podbase.claim_cancels(10) as c`;
    expect(cancels!.c).toMatchObject([{ attempt: audio.attempt }]);
    await engine.sql`select podbase.record_cancels(${[audio.attempt]}::uuid[])`;
    await engine.complete(next.find((claim) => claim.task === "pdf")!, {});
    expect(await engine.job(job.id)).toMatchObject({
      status: "canceled",
      tasks: { pdf: { status: "completed" } },
    });
  });
});

describe("the history", () => {
  it("folds to the rows: its last words on a job and on each task are what they say", async () => {
    const { id, pdf } = await halfFailed();
    await engine.complete(pdf, {});
    await ask(user, "retry_job", id);
    const [again] = await engine.claim();
    await engine.accepted(again!);
    const job = await engine.job(id);
    const events = await engine.sql`
      select * from podbase_private.job_events where job_id = ${id} order by version`;
    expect(events.map((event) => Number(event.version))).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({
      version: job.version,
      job_status: job.status,
      job_phase: job.phase,
      job_progress: job.progress,
    });
    for (const row of Object.values(job.tasks)) {
      expect(events.findLast((event) => event.task_id === row.id)).toMatchObject({
        task_status: row.status,
        task_phase: row.phase,
        task_progress: row.progress,
      });
    }
  });

  it("reads as a timeline; endpoints and RunPod's ids are for the operator only", async () => {
    const { id } = await halfFailed();
    const own = await ask(user, "explain_job", id);
    const texts = own.timeline.map((line: { text: string }) => line.text);
    expect(texts[0]).toBe("The job was submitted.");
    expect(texts).toContain("Task text is completed (completed).");
    expect(JSON.stringify(own)).not.toContain("attempt 1 at one");
    expect(JSON.stringify(await operate("explain_job", id))).toContain(
      "Task audio, attempt 1 at one: failed (bad_input): no.",
    );
  });
});
