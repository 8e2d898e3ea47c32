import type { Claim } from "@podbase/core";
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
  const accept = (claims: Claim[]) => engine.accept(sql, claims);
  await made(sql, finished, async (claims) => {
    await accept(claims);
    for (const claim of claims) await engine.complete(sql, claim);
  });
  await made(sql, deferred, async (claims) => {
    for (const claim of claims) await engine.putOff(sql, claim);
  });
  await made(sql, live, accept);
  await queueJobs(sql, queued);
  await stockFloor(sql, { finished, queued });
  await sql`vacuum analyze`;
}

/** Takes one job to where all `count` shall be, and copies it. */
async function made(sql: Sql, count: number, take: (claims: Claim[]) => Promise<void>): Promise<void> {
  if (count === 0) return;
  const { job, claims } = await engine.submit(sql, userId(0));
  await take(claims);
  await copyJob(sql, job.id, count - 1);
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
