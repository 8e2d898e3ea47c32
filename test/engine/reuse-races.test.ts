/**
 * The same request on sixteen connections at once, while the job that serves it ends, is canceled or is deleted: one piece
 * of work is bought, or two where the first one was taken away, everybody gets the result, and nothing deadlocks.
 *
 *     PODBASE_ROUNDS=300 npx vitest run test/engine/reuse-races.test.ts   the long mode
 */
import { randomUUID } from "node:crypto";
import type { Claim, SubmitResult } from "@podbase/core";
import { createTestDatabase } from "@podbase/local/testing";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROUNDS = Number(process.env.PODBASE_ROUNDS ?? 10);
const CONNECTIONS = 16;
const ENDS = ["completes", "is canceled", "is deleted"] as const;
const PLAN = {
  tasks: [
    { name: "a", route: "gpu" },
    { name: "b", route: "gpu", after: ["a"] },
  ],
};

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let sql: postgres.Sql;
let connections: postgres.Sql[];
beforeAll(async () => {
  database = await createTestDatabase();
  const open = () => postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
  sql = open();
  connections = Array.from({ length: CONNECTIONS }, open);
  await sql`select podbase.configure(${sql.json({
    endpoints: { one: { providerId: "ep-one", maxInFlight: 1000, maxRunsPer10s: 1_000_000 } },
    routes: { gpu: ["one"] },
  })})`;
});
afterAll(async () => {
  await Promise.all([sql, ...(connections ?? [])].map((each) => each?.end()));
  await database?.drop();
});

async function users(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await sql`insert into auth.users (id, email) select id, id || '@example.com' from unnest(${ids}::uuid[]) id`;
  return ids;
}

/** The same request for each of these users, each on a connection of its own. */
const askAll = (askers: string[], scope: string, round: number): Promise<SubmitResult[]> =>
  Promise.all(
    askers.map(async (user, at) => {
      const request = {
        user,
        kind: "same",
        input: { round },
        plan: { ...PLAN, reuse: { scope, ttlMs: 60_000 } },
      };
      const [row] = await connections[at]!`select podbase.submit_job(${sql.json(request)}) as r`;
      return row!.r as SubmitResult;
    }),
  );

const complete = async ({ attempt, token, kind, task }: Claim): Promise<Claim[]> => {
  const report = { attempt, token, kind, task, source: "webhook", status: "COMPLETED", output: { task } };
  const [row] = await sql`select podbase.record_report(${sql.json(report)}) as r`;
  return row!.r.claims;
};

it("gives sixteen requests of one user at once one job", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const [user] = (await users(1)) as [string];
    const made = await askAll(Array<string>(CONNECTIONS).fill(user), "user", -round);
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(made.map(({ job }) => job.id)).size).toBe(1);
  }
});

it("gives sixteen users one piece of work, however it ends", {
  timeout: 60_000 + ROUNDS * 2_000,
}, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const first = await askAll(await users(CONNECTIONS), "global", round);
    const claims = first.flatMap((made) => made.claims);
    expect(claims).toHaveLength(1);
    const leader = claims[0]!;
    const end = ENDS[round % ENDS.length]!;
    const asVerb = async (): Promise<Claim[]> => {
      if (end === "completes") return complete(leader);
      if (end === "is deleted") await sql`delete from auth.users where id = ${leader.user}`;
      else {
        await sql`select podbase.operator_cancel_job(${leader.job})`;
        await sql`select podbase.record_cancels(${[leader.attempt]}::uuid[])`;
      }
      return [];
    };
    const [next, second] = await Promise.all([asVerb(), askAll(await users(CONNECTIONS), "global", round)]);
    const taken = async () => (await sql`select podbase.claim_tasks(100) as r`)[0]!.r as Claim[];
    const work = [...next, ...second.flatMap((made) => made.claims), ...(await taken())];
    for (let claim = work.shift(); claim; claim = work.shift()) work.push(...(await complete(claim)));

    const gone = end === "completes" ? [] : [leader.job];
    const jobs = [...first, ...second].map(({ job }) => job.id).filter((id) => !gone.includes(id));
    const [row] = await sql`
      select count(*) filter (where status = 'completed')::int as completed,
             (select count(*)::int from podbase.tasks
              where job_id = any (${jobs}::uuid[]) and output = jsonb_build_object('task', name)) as outputs,
             (select count(*)::int from podbase_private.attempts where job_id = any (${jobs}::uuid[])) as attempts
      from podbase.jobs where id = any (${jobs}::uuid[])`;
    expect(row, `round ${round}, in which the first one ${end}`).toEqual({
      completed: jobs.length,
      outputs: 2 * jobs.length,
      attempts: 2,
    });
  }
});
