import { expect } from "vitest";
import { end, post, startAsking, tell } from "./actions.ts";
import { checkStep } from "./invariants.ts";
import { type Observation, observe } from "./observe.ts";
import type { EngineSession } from "./session.ts";
import type { World } from "./world.ts";

/** More than any run needs: some dozen tasks of a few attempts each, two at a time. */
const MAX_ROUNDS = 150;
/** When nothing says when it is due: longer than a circuit breaker's pause. */
const PAUSE_MS = 6 * 60_000;

/**
 * Lets everything come to rest: functions die with what they held, workers finish what RunPod has, time passes, ticks,
 * polls, cancels and submissions go on without fault. With `lostWebhooks` polls alone have to find every result.
 * Fails, saying what it waits for, when a job is still open after a bounded number of rounds.
 */
export async function settle(world: World, db: EngineSession, lostWebhooks: boolean): Promise<Observation> {
  world.claimed.length = 0;
  world.answers.length = 0;
  world.lookups.length = 0;
  for (let round = 0; ; round++) {
    await workers(world, db);
    const arriving = world.webhooks.splice(0);
    if (!lostWebhooks) for (const report of arriving) await tell(world, db, report);
    await db.tick();
    await cancelAtRunPod(world, db);
    for (const poll of await db.polls(100)) {
      await tell(world, db, world.runpod.reportOf(world.runpod.byId(poll.providerId), db.now, "poll"));
    }
    world.took(await db.claim(100));
    for (const claim of world.claimed.splice(0)) await post(world, db, claim, "accepted");
    await db.record(world.answers.splice(0));

    const seen = await observe(db, world.user, world.stranger);
    checkStep(world, seen, db.now);
    if (seen.jobs.every((job) => job.finished_at !== null)) break;
    expect(round, `still waiting:\n${waiting(seen)}`).toBeLessThan(MAX_ROUNDS);
    db.now = due(seen, db.now);
  }
  // What is still said afterwards changes nothing: the finished rows are compared once more.
  await workers(world, db);
  for (const report of world.webhooks.splice(0)) await tell(world, db, report);
  await cancelAtRunPod(world, db);
  const seen = await observe(db, world.user, world.stranger);
  checkStep(world, seen, db.now);
  return seen;
}

/** Workers take and finish everything that RunPod has. */
async function workers(world: World, db: EngineSession): Promise<void> {
  for (const job of world.runpod.in(db.now, "IN_QUEUE")) await startAsking(world, db, job, false);
  for (const job of world.runpod.in(db.now, "IN_PROGRESS")) {
    await end(world, db, job, { how: "completed", invalid: false }, "whole");
  }
}

async function cancelAtRunPod(world: World, db: EngineSession): Promise<void> {
  const due = await db.cancels(100);
  for (const { providerId } of due) world.runpod.cancel(world.runpod.byId(providerId), db.now);
  if (due.length > 0) await db.recordCancels(due.map((each) => each.attempt));
}

/** When the next thing is due: a check or a retry. */
function due(seen: Observation, now: number): number {
  const times = [
    ...seen.attempts.map((attempt) => attempt.next_check_at),
    ...seen.tasks.map((task) => task.run_at),
  ].flatMap((time) => (time === null ? [] : [Date.parse(time)]));
  return times.length > 0 ? Math.max(now + 1000, Math.min(...times) + 1000) : now + PAUSE_MS;
}

/** The open tasks with their last attempt, one a line. */
function waiting(seen: Observation): string {
  return seen.tasks
    .filter((task) => task.finished_at === null)
    .map((task) => {
      const last = seen.attempts.filter((attempt) => attempt.task_id === task.id).at(-1);
      return `${task.name}: ${task.status}, ${task.phase}, last attempt ${JSON.stringify(last)}`;
    })
    .join("\n");
}
