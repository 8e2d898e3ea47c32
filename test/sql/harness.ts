import { randomUUID } from "node:crypto";
import type { Cancel, Claim, Poll, Report, ReportResult, SubmitResult } from "@podbase/core";
import { createTestDatabase } from "@podbase/local/testing";
import postgres from "postgres";
import { afterAll, afterEach } from "vitest";

/** One task of a plan, as `submit_job` takes it. */
export interface PlanTask {
  name: string;
  route: string;
  after?: string[];
  artifacts?: Record<string, string>;
  optional?: boolean;
  submitPolicy?: string;
  maxAttempts?: number;
}

/** A plan of one task. */
export const ONE = [{ name: "text", route: "gpu" }];

/** A plan of one task that makes a file. */
export const WITH_FILE: PlanTask[] = [{ name: "text", route: "gpu", artifacts: { text: "text/markdown" } }];

/** A reading's plan without artifacts: text, then audio and pdf. */
export const READING: PlanTask[] = [
  { name: "text", route: "gpu" },
  { name: "audio", route: "gpu", after: ["text"] },
  { name: "pdf", route: "gpu", after: ["text"] },
];

/** What the webhook function makes of a webhook, unless `report` says otherwise. */
export const reportOf = ({ attempt, token, kind, task }: Claim, report: object) => ({
  attempt,
  token,
  kind,
  task,
  source: "webhook",
  ...report,
});

/** A migrated database of its own with what the engine's tests say over and over. */
export async function openEngine() {
  const database = await createTestDatabase();
  const sql = postgres(database.superuserUrl, { onnotice: () => {}, max: 4 });
  // One session with the test's clock; pooled connections would each have their own.
  const session = await sql.reserve();

  const json = async <T>(name: string, argument: unknown): Promise<T> => {
    const [row] = await session.unsafe<{ result: T }[]>(`select podbase.${name}($1) as result`, [
      argument as never,
    ]);
    return (row as { result: T }).result;
  };

  const engine = {
    sql: session,
    pool: sql,
    /** For connections of the test's own. */
    url: database.superuserUrl,
    async user(): Promise<string> {
      const id = randomUUID();
      await session`insert into auth.users (id, email) values (${id}, ${`${id}@example.com`})`;
      return id;
    },
    configure: (config: unknown) => json<void>("configure", config),
    submit: (user: string, tasks: PlanTask[] = READING, more: object = {}) =>
      json<SubmitResult>("submit_job", { user, kind: "reading", input: { n: 1 }, plan: { tasks }, ...more }),
    claim: (limit = 100) => json<Claim[]>("claim_tasks", limit),
    polls: (limit = 50) => json<Poll[]>("claim_polls", limit),
    cancels: (limit = 50) => json<Cancel[]>("claim_cancels", limit),
    accepted: (...claims: Claim[]) =>
      json<number>(
        "record_submissions",
        claims.map(({ attempt }) => ({ attempt, outcome: "accepted", providerId: `${attempt}-u1` })),
      ),
    submission: (claim: Claim, outcome: object) =>
      json<number>("record_submissions", [{ attempt: claim.attempt, ...outcome }]),
    /** A job whose only attempt waits in RunPod's queue. */
    async inQueue(user: string, task: object = {}): Promise<{ id: string; claim: Claim }> {
      const { job, claims } = await engine.submit(user, [{ name: "text", route: "gpu", ...task }]);
      await engine.accepted(...claims);
      return { id: job.id, claim: claims[0]! };
    },
    report: (claim: Claim, report: Partial<Report>) =>
      json<ReportResult>("record_report", reportOf(claim, report)),
    complete: (claim: Claim, output: unknown = { text: "done" }) =>
      engine.report(claim, { status: "COMPLETED", output }),
    async job(id: string) {
      const [job] = await session`select * from podbase.jobs where id = ${id}`;
      const tasks = await session`select * from podbase.tasks where job_id = ${id}`;
      return { ...job, tasks: Object.fromEntries(tasks.map((task) => [task.name, task])) } as Row & {
        tasks: Record<string, Row>;
      };
    },
    async attempt(claim: Claim) {
      const [row] = await session`select * from podbase_private.attempts where id = ${claim.attempt}`;
      return row as Row;
    },
    /** Sets the engine's clock for this session, `seconds` after the real one; null gives the real one back. */
    async clock(seconds: number | null) {
      const at = seconds === null ? "" : new Date(Date.now() + seconds * 1000).toISOString();
      await session`select set_config('podbase.now', ${at}, false)`;
    },
    tick: () => session`select podbase_private.tick()`,
    /** The next attempt of a job whose last one went wrong, once its back-off is over. */
    async nextAttempt(job: string, afterSeconds = 600): Promise<Claim> {
      await engine.clock(afterSeconds);
      await engine.tick();
      const claim = (await engine.claim()).find((each) => each.job === job);
      if (!claim) throw new Error("nothing was claimed");
      return claim;
    },
    /** Runs `work` as a signed-in user, or as `anon`. */
    as: <T>(user: string | null, work: (tx: postgres.TransactionSql) => Promise<T>): Promise<T> =>
      sql.begin(async (tx) => {
        const claims = user ? { sub: user, role: "authenticated" } : { role: "anon" };
        await tx`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
                        set_config('role', ${claims.role}, true)`;
        return work(tx);
      }) as Promise<T>,
    /** Puts a file where an attempt's artifact belongs. */
    async upload(user: string, claim: Claim, name: string, bytes: number) {
      const path = [user, claim.job, claim.task, claim.attempt, name].join("/");
      await session`insert into storage.objects (bucket_id, name, metadata)
                    values ('podbase', ${path}, ${session.json({ size: bytes })})`;
    },
    /** Forgets every job, alert and failure, and gives the real clock back. */
    async reset() {
      await engine.clock(null);
      await session`delete from podbase.jobs`;
      await session`delete from podbase_private.orphans`;
      await session`delete from podbase_private.alerts`;
      await session`delete from podbase_private.heartbeats where name = 'retain'`;
      await session`update podbase_private.endpoints set breaker = 'closed', submit_failures = 0,
                    run_failures = 0, breaker_trips = 0, breaker_until = null`;
    },
    async close() {
      session.release();
      await sql.end();
      await database.drop();
    },
  };
  await engine.configure({
    endpoints: { one: { providerId: "ep-one", firstPollMs: 30_000 } },
    routes: { gpu: ["one"] },
  });
  return engine;
}

/** What `openEngine` gives. */
export type Engine = Awaited<ReturnType<typeof openEngine>>;

/**
 * The engine of a whole test file, and a user: reset after each test, closed after the last. Awaited once, at the top of the
 * file. `tidy` puts back, after each reset, what only that file changes.
 */
export async function engineOfFile(tidy?: (engine: Engine) => PromiseLike<unknown>) {
  const engine = await openEngine();
  afterEach(async () => {
    await engine.reset();
    await tidy?.(engine);
  });
  afterAll(() => engine.close());
  return { engine, user: await engine.user() };
}

/** A row of any table. */
// biome-ignore lint/suspicious/noExplicitAny: rows of a test are looked at field by field.
export type Row = Record<string, any>;
