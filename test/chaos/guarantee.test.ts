import { afterEach, describe, expect, it } from "vitest";
import { databaseOfFile } from "./database.ts";
import { endOf, expectSound } from "./effects.ts";
import type { JOBS } from "./jobs.ts";
import { TICK_MS, World, type WorldOptions } from "./world.ts";

const MINUTE_MS = 60_000;
/** RunPod sends a webhook at the end, after 5 s and after 20 s, then never again. */
const WEBHOOK_WINDOW_MS = 20_000;

const database = await databaseOfFile();
let world: World;
afterEach(() => world.close());

/** A job under way, up to the moment that RunPod finished its work. */
async function untilWorkEnds(kind: keyof typeof JOBS, options: Omit<WorldOptions, "database">) {
  world = await World.open({ database, ...options });
  const job = await world.request(kind);
  let endedAt: number | undefined;
  world.simulator.subscribe((event) => {
    if (event.type === "finished") endedAt ??= event.at;
  });
  // Second by second, so that nothing happens between the end and what follows.
  for (let second = 1; endedAt === undefined; second++) {
    await world.wait(1000);
    if (second % (TICK_MS / 1000) === 0) await world.pass();
  }
  return { job, endedAt };
}

/** A job whose result RunPod has forgotten, nothing having come or been asked for 40 minutes, and what became of it then. */
async function forgotten(kind: keyof typeof JOBS) {
  const { job } = await untilWorkEnds(kind, {
    workMs: 9 * MINUTE_MS,
    faults: [{ fault: "webhook_drop" }],
  });
  await world.wait(40 * MINUTE_MS);
  await world.settle(job, 120);
  return { job, end: await endOf(world, job) };
}

/** When the job's task got its result. */
async function savedAt(job: string): Promise<number | undefined> {
  const [task] = await database.query<{ finished_at: Date | null }>(
    "select finished_at from podbase.tasks where job_id = $1 and status = 'completed'",
    job,
  );
  return task?.finished_at?.getTime();
}

describe("RunPod forgets a result 30 minutes after its end", () => {
  it.each([1, 9, 47, 100])(
    "a result of %i minutes of work is saved in time when the webhook function is back one second after its last try",
    async (minutes) => {
      const { job, endedAt } = await untilWorkEnds("word", {
        workMs: minutes * MINUTE_MS,
        downAtEnd: true,
      });
      await world.wait(endedAt + WEBHOOK_WINDOW_MS + 1000 - world.clock.now());
      expect(world.simulator.history().filter(({ type }) => type === "webhook_given_up")).toHaveLength(1);
      world.down.clear();
      await world.settle(job);
      // Polls are ten minutes apart at most.
      expect((await savedAt(job))! - endedAt).toBeLessThanOrEqual(10 * MINUTE_MS + 2 * TICK_MS);
      expectSound(world, await endOf(world, job));
    },
  );

  it("a result is saved though all webhooks are lost and nothing reconciles for 25 minutes", async () => {
    const { job, endedAt } = await untilWorkEnds("word", {
      workMs: 47 * MINUTE_MS,
      faults: [{ fault: "webhook_drop" }],
    });
    await world.wait(25 * MINUTE_MS);
    await world.settle(job);
    expect((await savedAt(job))! - endedAt).toBeLessThan(30 * MINUTE_MS);
    expect(world.executions).toHaveLength(1);
  });

  it("after 40 minutes without reconciler a lost result is named, alerted and done again", async () => {
    const { job, end } = await forgotten("word");
    expect(end.status).toBe("completed");
    expect(end.attempts.map(({ state, failure_class }) => [state, failure_class])).toEqual([
      ["lost", "lost"],
      ["completed", null],
    ]);
    expect(await alerts(job)).toContain("lost");
    expect(world.executions).toHaveLength(2);
    expectSound(world, end);
  });

  it("what must not be bought twice fails as lost then, alerted, and is left to a person", async () => {
    const { job, end } = await forgotten("dearWord");
    expect([end.status, end.error?.code]).toEqual(["failed", "lost"]);
    expect(await alerts(job)).toContain("lost");
    expect(world.executions).toHaveLength(1);
  });

  it("a result that lies in Storage is not lost, even then", async () => {
    const { end } = await forgotten("dear");
    expect([end.status, end.artifacts.length]).toEqual(["completed", 1]);
    expect(world.executions).toHaveLength(1);
  });
});

describe("a ten-minute outage of RunPod", () => {
  it.each([
    ["refuses every call", { fault: "answer", status: 503 }],
    ["resets every connection", { fault: "reset" }],
    ["answers 429 to everything", { fault: "answer", status: 429 }],
  ] as const)("that %s delays jobs and loses none", async (_, fault) => {
    world = await World.open({
      database,
      workMs: 5 * MINUTE_MS,
      faults: [{ ...fault, window: { fromMs: 2 * MINUTE_MS, forMs: 10 * MINUTE_MS } }],
    });
    const before = await world.request("three");
    for (let n = 0; n < 15; n++) {
      await world.wait(TICK_MS);
      await world.pass();
    }
    const during = await world.request("three");
    for (const job of [before, during]) {
      await world.settle(job, 90);
      const end = await endOf(world, job);
      expect([end.status, end.artifacts.length]).toEqual(["completed", 3]);
      expectSound(world, end);
    }
  });
});

describe("clocks that disagree", () => {
  it.each([
    ["an hour back", -60],
    ["an hour ahead", 60],
  ])("the database's being set %s delays a job at most, and loses nothing", async (_, minutes) => {
    world = await World.open({ database, faults: [{ fault: "webhook_drop" }] });
    const job = await world.request("three");
    await world.wait(6000);
    database.now = () => world.clock.now() + minutes * MINUTE_MS;
    await world.settle(job, 180);
    const end = await endOf(world, job);
    expect([end.status, end.artifacts.length]).toEqual(["completed", 3]);
    expectSound(world, end);
  });
});

describe("calls of functions", () => {
  it("one job of one task costs one request, one webhook, one call of its worker and no reconcile", async () => {
    world = await World.open({ database });
    await world.settle(await world.request("word"));
    console.log(`calls of one job: ${JSON.stringify(world.calls)}`);
    expect(world.calls).toEqual({ "request-job": 1, "runpod-webhook": 1, worker: 1, reconcile: 0 });
  });

  it("a job whose work takes a quarter of an hour costs few polls more", async () => {
    world = await World.open({ database, workMs: 15 * MINUTE_MS });
    await world.settle(await world.request("word"));
    expect(world.calls).toMatchObject({ "request-job": 1, "runpod-webhook": 1, worker: 1 });
    expect(world.calls.reconcile).toBeLessThanOrEqual(7);
  });

  it("ten idle minutes cost none", async () => {
    world = await World.open({ database });
    await world.settle(await world.request("three"));
    const before = { ...world.calls };
    for (let tick = 0; tick < (10 * MINUTE_MS) / TICK_MS; tick++) {
      await world.wait(TICK_MS);
      await world.pass();
    }
    expect(world.calls).toEqual(before);
  });
});

/** Codes of the alerts about a job. */
const alerts = async (job: string): Promise<string[]> =>
  (
    await database.query<{ code: string }>("select code from podbase_private.alerts where job_id = $1", job)
  ).map(({ code }) => code);
