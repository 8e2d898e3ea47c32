import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, openEngine, WITH_FILE } from "./harness.ts";

let engine: Engine;
let owner: string;
let stranger: string;
let job: string;

beforeAll(async () => {
  engine = await openEngine();
  owner = await engine.user();
  stranger = await engine.user();
  const { claims, ...made } = await engine.submit(owner, WITH_FILE);
  job = made.job.id;
  await engine.upload(owner, claims[0]!, "text", 3);
  await engine.complete(claims[0]!, { text: "private" });
});
afterAll(() => engine.close());

const TABLES = ["jobs", "tasks", "artifacts"];

describe("rows", () => {
  it.each(TABLES)("of podbase.%s are seen by their owner only", async (table) => {
    const count = (user: string) =>
      engine.as(user, async (tx) => (await tx`select from ${tx(`podbase.${table}`)}`).length);
    expect(await count(owner)).toBe(1);
    expect(await count(stranger)).toBe(0);
  });

  it.each(TABLES)("of podbase.%s are closed to anonymous callers", async (table) => {
    await expect(engine.as(null, (tx) => tx`select from ${tx(`podbase.${table}`)}`)).rejects.toMatchObject({
      code: "42501",
    });
  });

  it.each(TABLES)(
    "of podbase.%s cannot be written by anybody through the API, owner included",
    async (table) => {
      for (const statement of [
        `update podbase.${table} set created_at = now()`,
        `delete from podbase.${table}`,
        `insert into podbase.${table} default values`,
      ]) {
        await expect(
          engine.as(owner, (tx) => tx.unsafe(statement)),
          statement,
        ).rejects.toMatchObject({ code: "42501" });
      }
    },
  );

  it("of the artifacts' files are seen in storage by their owner only", async () => {
    const count = (user: string) =>
      engine.as(
        user,
        async (tx) => (await tx`select from storage.objects where bucket_id = 'podbase'`).length,
      );
    expect(await count(owner)).toBe(1);
    expect(await count(stranger)).toBe(0);
    await expect(
      engine.as(
        owner,
        (tx) => tx`insert into storage.objects (bucket_id, name) values ('podbase', ${`${owner}/x`})`,
      ),
    ).rejects.toMatchObject({ code: "42501" });
  });

  it("of podbase_private are closed to every API role", async () => {
    const tables = await engine.sql<{ name: string }[]>`
      select c.relname as name from pg_class c
      where c.relnamespace = 'podbase_private'::regnamespace and c.relkind in ('r', 'v', 'p')`;
    expect(tables.length).toBeGreaterThan(8);
    for (const { name } of tables) {
      const [row] = await engine.sql`
        select bool_or(has_table_privilege(role, ${`podbase_private.${name}`}, verb)) as open
        from unnest('{anon,authenticated,service_role}'::text[]) role,
             unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) verb`;
      expect(row, name).toEqual({ open: false });
    }
  });
});

describe("functions", () => {
  it("are executable by those roles that need them and by nobody else", async () => {
    const rows = await engine.sql<{ name: string; role: string }[]>`
      select p.pronamespace::regnamespace || '.' || p.proname as name, role
      from pg_proc p, unnest('{anon,authenticated,service_role}'::text[]) role
      where p.pronamespace in ('podbase'::regnamespace, 'podbase_private'::regnamespace)
        and has_function_privilege(role, p.oid, 'execute')
      order by 1, 2`;
    const by = (role: string) => rows.filter((row) => row.role === role).map((row) => row.name);
    expect(by("anon")).toEqual([]);
    const own = ["cancel_job", "cancel_task", "explain_job", "queue_position", "retry_job", "retry_task"];
    expect(by("authenticated").filter((name) => name.startsWith("podbase."))).toEqual(
      [...own, "estimate", "find_jobs", "mark_seen", "my_jobs"].map((name) => `podbase.${name}`).sort(),
    );
    expect(by("service_role").filter((name) => by("authenticated").includes(name))).toEqual([]);
    expect(by("service_role")).not.toContain("podbase.my_jobs");
    expect(by("service_role")).toContain("podbase.record_report");
  });

  it("that run as their definer stand in podbase_private only, with an empty search_path", async () => {
    const rows = await engine.sql`
      select p.oid::regprocedure::text as name from pg_proc p
      where p.pronamespace in ('podbase'::regnamespace, 'podbase_private'::regnamespace)
        and ((p.prosecdef and p.pronamespace = 'podbase'::regnamespace)
             or not coalesce(p.proconfig, '{}') @> array['search_path=""'])`;
    expect(rows).toEqual([]);
  });

  it("my_jobs gives each user their own jobs with tasks and artifacts", async () => {
    const mine = (user: string) =>
      engine.as(user, async (tx) => (await tx`select podbase.my_jobs() as jobs`)[0]!.jobs);
    expect(await mine(stranger)).toEqual([]);
    expect(await mine(owner)).toMatchObject([
      {
        id: job,
        status: "completed",
        tasks: [{ name: "text", output: { text: "private" } }],
        artifacts: [{ name: "text" }],
      },
    ]);
  });

  it("cancel_job refuses a stranger, a job that does not exist, and anonymous callers", async () => {
    const cancel = (user: string | null, id: string) =>
      engine.as(user, (tx) => tx`select podbase.cancel_job(${id})`);
    await expect(cancel(stranger, job)).rejects.toMatchObject({ code: "PB005" });
    await expect(cancel(owner, "00000000-0000-4000-8000-000000000000")).rejects.toMatchObject({
      code: "PB005",
    });
    await expect(cancel(null, job)).rejects.toMatchObject({ code: "42501" });
  });

  it("cancel_job leaves a finished job as it is", async () => {
    const [row] = await engine.as(owner, (tx) => tx`select podbase.cancel_job(${job}) as job`);
    expect(row!.job).toMatchObject({ status: "completed" });
  });
});

describe("the broadcast topic", () => {
  const hears = (user: string, topic: string) =>
    engine.as(user, async (tx) => {
      await tx`select set_config('realtime.topic', ${topic}, true)`;
      return (await tx`select from realtime.messages where topic = ${topic}`).length > 0;
    });

  it("is heard by its user only", async () => {
    expect(await hears(owner, `podbase:${owner}`)).toBe(true);
    expect(await hears(stranger, `podbase:${owner}`)).toBe(false);
  });

  it("cannot be sent to by users", async () => {
    await expect(
      engine.as(owner, async (tx) => {
        await tx`select set_config('realtime.topic', ${`podbase:${owner}`}, true)`;
        return tx`insert into realtime.messages (topic, extension, event, private, payload)
                  values (${`podbase:${owner}`}, 'broadcast', 'job', true, '{}')`;
      }),
    ).rejects.toMatchObject({ code: "42501" });
  });
});

describe("cancel_job", () => {
  it("cancels what waits at once and shows what runs as canceling until RunPod has confirmed", async () => {
    const made = await engine.submit(owner, [
      { name: "text", route: "gpu" },
      { name: "audio", route: "gpu", after: ["text"] },
    ]);
    await engine.accepted(...made.claims);
    await engine.as(owner, (tx) => tx`select podbase.cancel_job(${made.job.id})`);
    expect(await engine.job(made.job.id)).toMatchObject({
      status: "processing",
      phase: "canceling",
      tasks: { text: { phase: "canceling" }, audio: { status: "canceled" } },
    });
    expect(await engine.report(made.claims[0]!, { source: "worker", status: "IN_PROGRESS" })).toMatchObject({
      proceed: false,
    });
    await engine.sql`select podbase.record_cancels(${made.claims.map((claim) => claim.attempt)}::uuid[])`;
    expect(await engine.job(made.job.id)).toMatchObject({ status: "canceled", phase: "done" });
    expect((await engine.complete(made.claims[0]!)).verdict).toBe("late");
  });

  it("lets a result that arrives before the confirmation count", async () => {
    const made = await engine.submit(owner, [{ name: "text", route: "gpu" }]);
    await engine.accepted(...made.claims);
    await engine.as(owner, (tx) => tx`select podbase.cancel_job(${made.job.id})`);
    await engine.complete(made.claims[0]!, { text: "paid for" });
    expect(await engine.job(made.job.id)).toMatchObject({ status: "completed" });
  });
});
