import type { Claim, Report, SubmissionResult } from "@podbase/core";
import { expect } from "vitest";
import { type Ending, outputOf, type RunPodJob } from "./runpod-model.ts";
import type { EngineSession } from "./session.ts";
import { about, type World } from "./world.ts";

/** How a POST to RunPod ends, and what the function learns of it. */
export type PostAnswer =
  | "accepted"
  | "bad_input"
  | "rate_limited"
  | "auth"
  | "unknown_endpoint"
  | "not_sent"
  | "unknown, job made"
  | "unknown, nothing made";

/** A function posts a claim, if it may; what it learns is kept until it is recorded. */
export async function post(world: World, db: EngineSession, claim: Claim, answer: PostAnswer): Promise<void> {
  const { attempt } = claim;
  if (claim.submitPolicy === "at_most_once") {
    const changed = await db.record([{ attempt, outcome: "posting" }]);
    if (changed !== 1) {
      world.answers.push({ attempt, outcome: "not_sent", class: "transient_network" });
      return;
    }
    const newest = world.claims.findLast((each) => each.job === claim.job && each.task === claim.task);
    expect(newest, "at_most_once: only the newest attempt of a task is posted").toBe(claim);
  }
  const result = ((): SubmissionResult => {
    switch (answer) {
      case "accepted":
        return { attempt, outcome: "accepted", providerId: world.runpod.run(claim, db.now).id };
      case "unknown, job made":
        world.runpod.run(claim, db.now);
        return { attempt, outcome: "unknown", error: "reset" };
      case "unknown, nothing made":
        return { attempt, outcome: "unknown", error: "timeout" };
      case "not_sent":
        return { attempt, outcome: "not_sent", class: "transient_network" };
      case "rate_limited":
        return { attempt, outcome: "rejected", class: answer, retryAfterMs: 5000 };
      default:
        return { attempt, outcome: "rejected", class: answer, error: answer };
    }
  })();
  world.answers.push(result);
}

/** Hands a report to the engine and takes the claims that come back. */
export async function tell(world: World, db: EngineSession, report: Report) {
  const result = await db.report(report);
  expect(result.verdict, "a report with the right token is heard").not.toBe("unauthorized");
  if (report.source !== "worker" && report.providerId !== undefined) world.told.add(report.providerId);
  world.took(result.claims);
  return result;
}

const call = (job: RunPodJob): Report => ({
  ...about(job.claim),
  source: "worker",
  token: job.claim.token,
  status: "IN_PROGRESS",
});

/** A worker takes a job and asks whether to go on. */
export async function startAsking(
  world: World,
  db: EngineSession,
  job: RunPodJob,
  strict: boolean,
): Promise<void> {
  const expected = await mayProceed(db, job.claim);
  const { proceed } = await tell(world, db, call(job));
  expect(proceed, "start says go on to the live attempt of an open task that nobody canceled").toBe(expected);
  if (!proceed) {
    world.runpod.stop(job, db.now);
    job.invalid = strict;
    world.webhooks.push(world.runpod.reportOf(job, db.now, "webhook"));
    return;
  }
  const rivals = world.runpod.jobs.filter(
    (other) =>
      other !== job &&
      other.claim.job === job.claim.job &&
      other.claim.task === job.claim.task &&
      other.proceeded &&
      other.endedAt === null &&
      world.runpod.knows(other, db.now),
  );
  expect(rivals, "no two attempts of a task were told to go on at once").toEqual([]);
  world.runpod.start(job);
  job.proceeded = true;
  job.worked = true;
}

/** A worker that never asks, or cannot reach Podbase, works all the same. */
export function startUnasked(world: World, job: RunPodJob): void {
  world.runpod.start(job);
  job.worked = true;
}

/** A worker tells its progress, and stops when it is told to. */
export async function progress(
  world: World,
  db: EngineSession,
  job: RunPodJob,
  seq: number,
  value: number,
): Promise<void> {
  const { proceed } = await tell(world, db, { ...call(job), seq, progress: value });
  if (proceed) return;
  world.runpod.stop(job, db.now);
  world.webhooks.push(world.runpod.reportOf(job, db.now, "webhook"));
}

/** A job ends at RunPod, with or without its artifact in Storage; its webhook is on the way. */
export async function end(
  world: World,
  db: EngineSession,
  job: RunPodJob,
  ending: Ending,
  upload: "whole" | "short" | "none",
): Promise<void> {
  world.runpod.end(job, ending, db.now);
  if (ending.how === "completed" && Object.keys(job.claim.artifacts).length > 0) {
    job.output = { ...outputOf(job), podbase: { artifacts: { file: { bytes: 5, sha256: "ab" } } } };
    // Storage takes no brackets.
    const task = job.claim.task.replace(/\[(\d+)\]$/, ".$1");
    const path = [world.user, job.claim.job, task, job.claim.attempt, "file"].join("/");
    if (upload !== "none") {
      await db.query`insert into storage.objects (bucket_id, name, metadata)
        values ('podbase', ${path}, ${db.json({ size: upload === "whole" ? 5 : 3 })})
        on conflict (bucket_id, name) do nothing`;
    }
  }
  world.webhooks.push(world.runpod.reportOf(job, db.now, "webhook"));
}

/** Whether `start` has to say proceed, read from the rows. */
async function mayProceed(db: EngineSession, claim: Claim): Promise<boolean> {
  const [row] = await db.query<{ ok: boolean }>`
    select a.next_check_at is not null and t.finished_at is null and s.cancel_requested_at is null as ok
    from podbase_private.attempts a join podbase.tasks t on t.id = a.task_id
    join podbase_private.task_schedule s on s.task_id = t.id where a.id = ${claim.attempt}`;
  return row?.ok === true;
}
