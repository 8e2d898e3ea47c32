import type { Sql } from "postgres";
import { engine } from "./engine-calls.ts";
import { stockFloor } from "./floor.ts";
import { USERS, userId } from "./payload.ts";
import { copyJob } from "./seed.ts";

/** How many jobs of one task a database holds, by what they wait for. */
export interface Stock {
  /** Completed. */
  finished: number;
  /** Put off by weeks after a refusal. */
  deferred: number;
  /** Claimable now. */
  queued: number;
  /** At RunPod. */
  live: number;
}

/** Fills a database made from the schema, the floor's table too, and tells the planner. Leaves the endpoint open. */
export async function stock(sql: Sql, { finished, deferred, queued, live }: Stock): Promise<void> {
  await copyJob(sql, await finishedJob(sql), finished);
  await copyJob(sql, await deferredJob(sql), deferred);
  await copyJob(sql, await liveJob(sql), live);
  await queueJobs(sql, queued);
  await stockFloor(sql, { finished, queued });
  await sql`vacuum analyze`;
}

/** Puts jobs of all users into the engine's queue, in the order of users that submit in turn. */
export async function queueJobs(sql: Sql, count: number): Promise<void> {
  if (count === 0) return;
  // The endpoint is closed meanwhile, or the first submission would claim its job.
  await engine.configure(sql, false);
  const { job } = await engine.submit(sql, userId(0));
  await copyJob(sql, job.id, count - 1, { ready_key: `r.ready_key + g / ${USERS}` });
  await engine.configure(sql, true);
}

async function liveJob(sql: Sql): Promise<string> {
  const { job, claims } = await engine.submit(sql, userId(0));
  await engine.accept(sql, claims);
  return job.id;
}

async function finishedJob(sql: Sql): Promise<string> {
  const { job, claims } = await engine.submit(sql, userId(0));
  await engine.accept(sql, claims);
  for (const claim of claims) await engine.complete(sql, claim);
  return job.id;
}

async function deferredJob(sql: Sql): Promise<string> {
  const { job, claims } = await engine.submit(sql, userId(0));
  for (const claim of claims) await engine.putOff(sql, claim);
  return job.id;
}
