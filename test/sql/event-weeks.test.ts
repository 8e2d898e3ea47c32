import { describe, expect, it } from "vitest";
import { engineOfFile, ONE } from "./harness.ts";

const DAY = 86_400;
const { engine, user } = await engineOfFile((engine) =>
  engine.configure({ settings: { keep_events: "30 days" } }),
);

/** A job that completes `days` after now, and the tables that its history lies in. */
async function tablesOf(days: number): Promise<{ job: string; tables: string[] }> {
  await engine.clock(days * DAY);
  const { job, claims } = await engine.submit(user, ONE);
  await engine.complete(claims[0]!);
  return { job: job.id, tables: await tablesOfJob(job.id) };
}

const tablesOfJob = async (job: string) =>
  (
    await engine.sql`
      select distinct tableoid::regclass::text as name from podbase_private.job_events where job_id = ${job}`
  ).map(({ name }) => (name as string).replace("podbase_private.", ""));

const weeks = async () =>
  (
    await engine.sql`
      select relname as name from pg_class
      where relnamespace = 'podbase_private'::regnamespace and relname ~ '^job_events_[0-9]{4}w' and relkind = 'r'
      order by 1`
  ).map((row) => row.name as string);

describe("the history", () => {
  it("lies in one table a week, made ahead, and in another for times far off", async () => {
    expect((await weeks()).length).toBeGreaterThanOrEqual(4);
    const { tables: now } = await tablesOf(0);
    expect(now[0]).toMatch(/^job_events_\d{4}w\d\d$/);
    expect((await tablesOf(20)).tables).not.toEqual(now);
    expect((await tablesOf(4000)).tables).toEqual(["job_events_other"]);
    expect((await tablesOf(-4000)).tables).toEqual(["job_events_other"]);
  });

  it("moves into a week's table once that is made, and is still one history", async () => {
    const { job, tables } = await tablesOf(100);
    expect(tables).toEqual(["job_events_other"]);
    await engine.tick();
    expect((await tablesOfJob(job))[0]).toMatch(/^job_events_\d{4}w\d\d$/);
    const events = await engine.sql`
      select version::int from podbase_private.job_events where job_id = ${job} order by version`;
    expect(events.map((event) => event.version)).toEqual([1, 2]);
  });

  it("goes by whole weeks once all of a week is too old, or never", async () => {
    const { job } = await tablesOf(200);
    await engine.tick();
    const [week] = await tablesOfJob(job);
    await engine.configure({ settings: { keep_events: null } });
    await engine.clock(300 * DAY);
    await engine.tick();
    expect(await weeks()).toContain(week);
    await engine.configure({ settings: { keep_events: "30 days" } });
    await engine.clock(229 * DAY);
    await engine.sql`delete from podbase_private.heartbeats`;
    await engine.tick();
    expect(await weeks()).toContain(week);
    await engine.clock(238 * DAY);
    await engine.tick();
    expect(await weeks()).not.toContain(week);
    expect(await tablesOfJob(job)).toEqual([]);
    expect((await engine.job(job)).status).toBe("completed");
  });

  it("does not wait long for somebody who reads a week that is to go, and drops it the next time", async () => {
    const { job } = await tablesOf(400);
    await engine.tick();
    const [week] = await tablesOfJob(job);
    await engine.clock(460 * DAY);
    await engine.pool.begin(async (tx) => {
      await tx`select from podbase_private.job_events`;
      await engine.sql`delete from podbase_private.heartbeats`;
      await engine.tick();
      expect(await weeks()).toContain(week);
    });
    await engine.clock(461 * DAY);
    await engine.tick();
    expect(await weeks()).not.toContain(week);
  });
});
