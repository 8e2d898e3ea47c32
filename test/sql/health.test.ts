import { describe, expect, it } from "vitest";
import { engineOfFile } from "./harness.ts";

const NONE = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 };
const { engine, user } = await engineOfFile(async ({ sql }) => {
  await sql`delete from podbase_private.endpoint_health`;
  await sql`delete from podbase_private.route_pace`;
});

const claimHealth = async () =>
  (await engine.sql`select podbase.claim_health() as endpoints`)[0]!.endpoints as unknown[];
const recordHealth = (workers: object, jobs: object = { inQueue: 1, inProgress: 0 }) =>
  engine.sql`select podbase.record_health(${engine.sql.json([{ endpoint: "one", workers, jobs }] as never)})`;
const workIsDue = async () => (await engine.sql`select podbase_private.work_is_due() as due`)[0]!.due;

const told = async (id: string) => (await engine.job(id)).notice?.code;
const alerts = async () =>
  (await engine.sql`select code from podbase_private.alerts order by id`).map(({ code }) => code);

describe("the health of an endpoint", () => {
  it("is asked for while somebody waits there, at most every 15 s", async () => {
    expect(await claimHealth()).toEqual([]);
    await engine.inQueue(user);
    expect(await claimHealth()).toEqual([{ name: "one", providerId: "ep-one" }]);
    expect(await claimHealth()).toEqual([]);
    await engine.clock(14);
    expect(await claimHealth()).toEqual([]);
    await engine.clock(16);
    expect(await claimHealth()).toHaveLength(1);
  });

  it("is worth a call of its own after 15 s of waiting, then ever more seldom", async () => {
    const { claim } = await engine.inQueue(user);
    expect(await workIsDue()).toBe(false);
    await engine.clock(20);
    expect(await workIsDue()).toBe(true);
    await claimHealth();
    expect(await workIsDue()).toBe(false);
    // The poll that is due by then is another reason, so it is put off.
    await engine.sql`update podbase_private.attempts set next_check_at = '2100-01-01' where id = ${claim.attempt}`;
    await engine.clock(60);
    await claimHealth();
    await engine.clock(85);
    expect(await workIsDue()).toBe(false);
    await engine.clock(95);
    expect(await workIsDue()).toBe(true);
  });

  it("is not asked for when work runs and nobody waits", async () => {
    const { claim } = await engine.inQueue(user);
    await engine.report(claim, { status: "IN_PROGRESS" });
    await engine.clock(20);
    expect(await claimHealth()).toEqual([]);
  });
});

describe("who waits is told", () => {
  it.each([
    ["that a worker starts", { ...NONE, initializing: 1 }, "worker_starting"],
    ["that there is no machine", { ...NONE, throttled: 2 }, "throttled"],
    ["nothing new while workers are busy", { ...NONE, running: 1, throttled: 1 }, "warming_up"],
    ["nothing new where a worker is ready", { ...NONE, idle: 1, ready: 1, throttled: 1 }, "warming_up"],
    ["nothing new by an answer that lacks most counters", { idle: 0, running: 0 }, "warming_up"],
  ])("%s", async (_what, workers, code) => {
    const { id } = await engine.inQueue(user);
    await recordHealth(workers);
    expect(await told(id)).toBe(code);
    await engine.clock(60);
    await recordHealth(workers);
    expect(await told(id)).toBe(code);
  });

  it("that there are no workers when that is so twice in a row, and somebody is alerted when it lasts", async () => {
    const { id } = await engine.inQueue(user);
    await recordHealth(NONE);
    expect(await told(id)).toBe("warming_up");
    await engine.clock(20);
    await recordHealth(NONE);
    expect(await told(id)).toBe("no_workers");
    expect(await alerts()).toEqual([]);
    await engine.clock(130);
    await recordHealth(NONE);
    expect(await alerts()).toEqual(["no_workers"]);
  });

  it("once for each change, with one version", async () => {
    const { id } = await engine.inQueue(user);
    const { version } = await engine.job(id);
    await recordHealth({ ...NONE, throttled: 1 });
    await recordHealth({ ...NONE, throttled: 2 });
    expect(await engine.job(id)).toMatchObject({
      status: "processing",
      phase: "waiting_for_worker",
      version: String(Number(version) + 1),
      tasks: { text: { notice: { code: "throttled", message: expect.any(String) } } },
    });
    await recordHealth({ ...NONE, initializing: 1 });
    expect((await engine.job(id)).version).toBe(String(Number(version) + 2));
  });

  it("later if somebody else holds the job, and then only while it still waits", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.pool.begin(async (other) => {
      await other`select from podbase.jobs where id = ${id} for update`;
      await recordHealth({ ...NONE, throttled: 1 });
    });
    expect(await told(id)).toBe("warming_up");
    await engine.report(claim, { status: "IN_PROGRESS" });
    await recordHealth({ ...NONE, throttled: 1 });
    expect(await told(id)).toBeUndefined();
  });
});

it("workers that crash while somebody waits raise an alert", async () => {
  await engine.inQueue(user);
  await recordHealth({ ...NONE, unhealthy: 1 });
  expect(await alerts()).toEqual(["workers_unhealthy"]);
  await recordHealth({ ...NONE, unhealthy: 1 }, { inQueue: 0 });
  expect(await alerts()).toEqual(["workers_unhealthy"]);
});

describe("a task that runs longer than its like", () => {
  /** Six tasks of the route that ran for 20 s each. */
  async function history() {
    for (let n = 0; n < 6; n++) {
      const { claim } = await engine.inQueue(user);
      await engine.report(claim, { status: "COMPLETED", output: {}, delayTime: 100, executionTime: 20_000 });
    }
  }

  it("says that it still works, then that it is slow, and nothing else changes", async () => {
    await history();
    const { id, claim } = await engine.inQueue(user);
    await engine.report(claim, { status: "IN_PROGRESS" });
    await engine.clock(15);
    await engine.tick();
    expect(await told(id)).toBeUndefined();
    await engine.clock(25);
    await engine.tick();
    expect(await told(id)).toBe("still_working");
    const { version } = await engine.job(id);
    await engine.tick();
    expect((await engine.job(id)).version).toBe(version);
    await engine.clock(45);
    await engine.tick();
    expect(await engine.job(id)).toMatchObject({
      status: "processing",
      phase: "running",
      notice: { code: "slower_than_usual" },
    });
    await engine.complete(claim);
    expect(await engine.job(id)).toMatchObject({ status: "completed", notice: null });
  });

  it("is measured by half of its time limit where too few have run to tell", async () => {
    const { id, claim } = await engine.inQueue(user);
    await engine.report(claim, { status: "IN_PROGRESS" });
    await engine.clock(440);
    await engine.tick();
    expect(await told(id)).toBeUndefined();
    await engine.clock(460);
    await engine.tick();
    expect(await told(id)).toBe("still_working");
  });

  it("stops neither the clock nor an estimate when its like are said to have run for ever", async () => {
    await engine.configure({ endpoints: { odd: { providerId: "ep-odd" } }, routes: { odd: ["odd"] } });
    const forever = { delayTime: Number.MAX_SAFE_INTEGER, executionTime: Number.MAX_SAFE_INTEGER };
    for (let n = 0; n < 7; n++) {
      const { claims } = await engine.submit(user, [{ name: "text", route: "odd" }]);
      await engine.report(claims[0]!, { status: "COMPLETED", output: {}, ...forever });
    }
    const { id, claim } = await engine.inQueue(user, { route: "odd" });
    await engine.report(claim, { status: "IN_PROGRESS" });
    await engine.clock(20);
    await engine.tick();
    expect(await told(id)).toBeUndefined();
    const next = await engine.inQueue(user, { route: "odd" });
    const [row] = await engine.as(user, (tx) => tx`select podbase.estimate(${next.id}) as estimate`);
    expect(row!.estimate.tasks).toHaveProperty("text");
  });
});
