/**
 * Sixteen connections at once on one database: nothing is handed out twice, nothing deadlocks, no cap is exceeded at
 * any sampled instant, and users are served alike.
 *
 *     npx vitest run test/engine/races.test.ts                      1,000 tasks
 *     PODBASE_TASKS=20000 npx vitest run test/engine/races.test.ts  the long mode (also: npm run test:long)
 */
import { randomUUID } from "node:crypto";
import type { Claim } from "@podbase/core";
import { createTestDatabase } from "@podbase/local/testing";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Crowd, type CrowdJob, jain, member, sample } from "./crowd.ts";
import { seedOf } from "./seed.ts";

const TASKS = Number(process.env.PODBASE_TASKS ?? 1000);
const SEED = seedOf(TASKS > 1000);
const CONNECTIONS = 16;
const USERS = 50;
const BATCH = 10;
const CAPS = { shared: 40, spare: 15 };
const USER_LIMIT = 3;
const TIMEOUT = 60_000 + TASKS * 60;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let sql: postgres.Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
  const endpoint = (name: keyof typeof CAPS) => ({
    providerId: `ep-${name}`,
    maxInFlight: CAPS[name],
    // The rate is not what is tried here.
    maxRunsPer10s: 1_000_000,
  });
  await sql`select podbase.configure(${sql.json({
    endpoints: {
      shared: endpoint("shared"),
      spare: endpoint("spare"),
      vast: { providerId: "ep-vast", maxInFlight: 100_000, maxRunsPer10s: 1_000_000 },
    },
    routes: { first: ["shared", "spare"], second: ["shared"], alone: ["vast"] },
  })})`;
});
afterAll(async () => {
  await sql?.end();
  await database?.drop();
});

async function users(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await sql`insert into auth.users (id, email) select id, id || '@example.com' from unnest(${ids}::uuid[]) id`;
  return ids;
}

/** Many jobs of one user in one call; none is claimed by it. */
async function submit(user: string, count: number, tasks: (at: number) => object[]): Promise<CrowdJob[]> {
  const requests = Array.from({ length: count }, (_, at) => ({
    user,
    kind: "race",
    input: {},
    plan: { tasks: tasks(at) },
  }));
  const [row] = await sql`select podbase.submit_jobs(${sql.json(requests as never)}) as r`;
  return (row as { r: { job: string }[] }).r.map(({ job }) => ({ id: job, user }));
}

it("sixteen connections at once end all jobs, each task once, alike for all and under every cap", {
  timeout: TIMEOUT,
}, async () => {
  const equal = await users(USERS);
  const [limited] = (await users(1)) as [string];
  await sql`insert into podbase_private.user_limits (user_id, max_in_flight) values (${limited}, ${USER_LIMIT})`;
  const each = Math.floor(TASKS / (USERS + 1));
  // Every tenth job has a second task, on another route that shares the first one's endpoint.
  // So many attempts that chance does not fail one as often.
  const maxAttempts = 20;
  const plan = (at: number) => [
    { name: "a", route: "first", maxAttempts },
    ...(at % 10 === 9 ? [{ name: "b", route: "second", after: ["a"], maxAttempts }] : []),
  ];
  const jobs: CrowdJob[] = [];
  for (const user of [...equal, limited]) jobs.push(...(await submit(user, each, plan)));
  const [counted] = await sql`select count(*)::int as tasks from podbase.tasks`;

  const crowd: Crowd = {
    url: database.superuserUrl,
    claims: [],
    jobs,
    oneIn: { fails: 50, doubles: 20, cancels: 40 },
    seed: SEED,
  };
  const all = Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => member(crowd, number)));
  const [most] = await Promise.all([sample(database.superuserUrl, all), all]);

  const half = crowd.claims.slice(0, crowd.claims.length / 2);
  const fairness = jain(equal.map((user) => half.filter((claim) => claim.user === user).length));
  console.log(
    `races: ${counted?.tasks} tasks, ${crowd.claims.length} attempts, most at once ${JSON.stringify(most.endpoints)}` +
      ` of ${JSON.stringify(CAPS)} in ${most.samples} samples, Jain's index ${fairness.toFixed(4)}, PODBASE_SEED=${SEED}`,
  );
  expect(new Set(crowd.claims.map((claim) => claim.attempt)).size).toBe(crowd.claims.length);
  expect(new Set(crowd.claims.map((claim) => `${claim.job} ${claim.task} ${claim.number}`)).size).toBe(
    crowd.claims.length,
  );
  for (const [name, cap] of Object.entries(CAPS)) {
    expect(most.endpoints[name], `live attempts at ${name}`).toBeLessThanOrEqual(cap);
    expect(most.endpoints[name], `live attempts at ${name}, so that its cap was tried`).toBeGreaterThan(
      cap / 3,
    );
  }
  expect(most.users[limited], "live attempts of the user with a limit").toBeLessThanOrEqual(USER_LIMIT);
  expect(fairness).toBeGreaterThanOrEqual(0.95);
  await allEnded(crowd.claims.length);
});

/** The rows afterwards: no job open, no attempt alive, each task completed once, each history whole. */
async function allEnded(attempts: number): Promise<void> {
  const [row] = await sql`select
    (select count(*)::int from podbase.jobs where finished_at is null) as open_jobs,
    (select count(*)::int from podbase.tasks where finished_at is null) as open_tasks,
    (select count(*)::int from podbase_private.attempts) as attempts,
    (select count(*)::int from podbase_private.attempts where next_check_at is not null) as live,
    (select count(*)::int from podbase.jobs where status = 'failed') as failed,
    (select count(*)::int from podbase.tasks t where (t.status = 'completed') <> (
      select count(*) = 1 from podbase_private.attempts a where a.task_id = t.id and a.state = 'completed')) as unclear,
    (select count(*)::int from podbase.tasks t where t.status = 'completed' and not exists (
      select from podbase_private.attempts a
      where a.task_id = t.id and a.state = 'completed' and t.output = jsonb_build_object('by', a.id))) as unreal,
    (select count(*)::int from podbase.jobs j where j.version <> (
      select case when min(version) = 1 and max(version) = count(*) then count(*) end
      from podbase_private.job_events e where e.job_id = j.id)) as gaps`;
  expect(row).toEqual({
    open_jobs: 0,
    open_tasks: 0,
    attempts,
    live: 0,
    failed: 0,
    unclear: 0,
    unreal: 0,
    gaps: 0,
  });
}

it("one user with very many queued jobs delays another's first by one claim batch at most", {
  timeout: TIMEOUT,
}, async () => {
  const plan = () => [{ name: "a", route: "alone" }];
  const [many, ...few] = (await users(21)) as [string, ...string[]];
  await submit(many, Math.max(100, Math.floor(TASKS / 2)), plan);
  for (const user of few) {
    const [job] = (await submit(user, 1, plan)) as [CrowdJob];
    const [row] = await sql`select podbase.claim_tasks(${BATCH}) as r`;
    const { r: claims } = row as { r: Claim[] };
    expect(claims.length).toBeGreaterThan(0);
    expect(claims.map((claim) => claim.job)).toContain(job.id);
  }
});
