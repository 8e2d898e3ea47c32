/**
 * Users with a limit, whose jobs come one by one and in bulk on many connections while others claim, report and cancel:
 * nobody ever has more tasks under way than allowed, at any sampled instant, and all jobs end.
 *
 *     npx vitest run test/engine/limit-races.test.ts                      400 jobs
 *     PODBASE_TASKS=20000 npx vitest run test/engine/limit-races.test.ts  8,000 (npm run test:long)
 */
import { randomUUID } from "node:crypto";
import { createTestDatabase } from "@podbase/local/testing";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Crowd, member, sample } from "./crowd.ts";
import { seedOf } from "./seed.ts";

const TASKS = Number(process.env.PODBASE_TASKS ?? 1000);
const JOBS = Math.floor(TASKS * 0.4);
const SEED = seedOf(TASKS > 1000);
const LIMITS = [1, 2, 2, 3, 5];
const [MEMBERS, SUBMITTERS] = [10, 6];

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let sql: postgres.Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.superuserUrl, { max: SUBMITTERS, onnotice: () => {} });
});
afterAll(async () => {
  await sql?.end();
  await database?.drop();
});

it("nobody exceeds their limit, however tasks come and go at once", {
  timeout: 60_000 + TASKS * 60,
}, async () => {
  const users = LIMITS.map(() => randomUUID());
  await sql`insert into auth.users (id, email) select id, id || '@example.com' from unnest(${users}::uuid[]) id`;
  await sql`select podbase.configure(${sql.json({
    endpoints: {
      vast: { providerId: "ep-vast", maxInFlight: 100_000, maxRunsPer10s: 1_000_000 },
      shut: { providerId: "ep-shut", enabled: false },
    },
    routes: { gpu: ["vast"], closed: ["shut"] },
    settings: { max_in_flight_per_user: 2 },
    users: Object.fromEntries(users.map((user, at) => [user, { maxInFlight: LIMITS[at] }])),
  })})`;
  const request = (user: string, route = "gpu", tasks = ["a"]) => ({
    user,
    kind: "limited",
    input: {},
    // So many attempts that chance does not fail one as often.
    plan: { tasks: tasks.map((name, at) => ({ name, route, after: tasks.slice(0, at), maxAttempts: 20 })) },
  });
  // Keeps the crowd at work until everything has been submitted.
  const open = request(users[0] as string, "closed");
  const [held] = await sql`select podbase.submit_job(${sql.json(open)}) -> 'job' ->> 'id' as id`;

  const crowd: Crowd = {
    url: database.superuserUrl,
    claims: [],
    jobs: [],
    oneIn: { fails: 50, doubles: 20, cancels: 30 },
    seed: SEED,
  };
  const submitter = async (number: number): Promise<void> => {
    for (let n = number; n < JOBS; n += SUBMITTERS) {
      const user = users[n % users.length] as string;
      const one = request(user, "gpu", n % 7 === 0 ? ["a", "b"] : ["a"]);
      if (n % 3 === 0) {
        const [row] = await sql`select podbase.submit_jobs(${sql.json([one])}) as r`;
        crowd.jobs.push({ id: row!.r[0].job, user });
      } else {
        const [row] = await sql`select podbase.submit_job(${sql.json(one)}) as r`;
        crowd.jobs.push({ id: row!.r.job.id, user });
        // What the call itself claimed is lost with its function: the lease brings it back, here at once.
        await sql`select podbase.record_submissions(${sql.json(
          row!.r.claims.map(({ attempt }: { attempt: string }) => ({ attempt, outcome: "not_sent" })),
        )})`;
      }
    }
  };
  const submitted = Promise.all(Array.from({ length: SUBMITTERS }, (_, number) => submitter(number))).then(
    () => sql`select podbase.operator_cancel_job(${held!.id})`,
  );
  // The crowd cancels by chance, so it needs a job to choose from.
  await expect.poll(() => crowd.jobs.length).toBeGreaterThan(0);
  const all = Promise.all([
    submitted,
    ...Array.from({ length: MEMBERS }, (_, number) => member(crowd, number)),
  ]);
  const [most] = await Promise.all([sample(database.superuserUrl, all), all]);

  console.log(
    `limits: ${JOBS} jobs, ${crowd.claims.length} attempts, most at once ${users.map((user) => most.users[user])} ` +
      `of ${LIMITS} in ${most.samples} samples, PODBASE_SEED=${SEED}`,
  );
  users.forEach((user, at) => {
    expect(most.users[user], `tasks under way of the user with limit ${LIMITS[at]}`).toBeLessThanOrEqual(
      LIMITS[at] as number,
    );
  });
  // Slots are all given back.
  const [left] = await sql`
    select (select count(*)::int from podbase.jobs where finished_at is null) as open,
           (select count(*)::int from podbase_private.task_schedule where has_slot or parked) as slots,
           (select count(*)::int from podbase.jobs where status = 'failed') as failed`;
  expect(left).toEqual({ open: 0, slots: 0, failed: 0 });
});
