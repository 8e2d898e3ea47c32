import { expect, test } from "vitest";
import { type Handler, progress, sleep, virtualClock } from "../src/index.ts";
import { call, health, run, startOne, status, story } from "./helpers.ts";

const stubborn: Handler<{ ms: number }> = async ({ input }, { sleep: wait, signal }) => {
  // Like a blocking Python handler, it goes on after the abort.
  await wait(input.ms).catch(() => undefined);
  return { heeded: signal.aborted };
};

test("a waiting job can be cancelled and is never started", async () => {
  const simulator = await startOne();
  const id = await run(simulator, { x: 1 });
  expect(await call(simulator, "POST", `cancel/${id}`)).toEqual({
    status: 200,
    body: { id, status: "CANCELLED" },
  });
  await simulator.advance(60_000);
  expect(await status(simulator, id)).toEqual({ id, status: "CANCELLED" });
  expect(story(simulator, "started")).toEqual([]);
});

test("a running job can be cancelled, its handler is aborted and its worker free for the next", async () => {
  const simulator = await startOne({ handler: sleep });
  const id = await run(simulator, { ms: 60_000 });
  await simulator.advance(15_100);
  await call(simulator, "POST", `cancel/${id}`);
  expect(await status(simulator, id)).toMatchObject({ status: "CANCELLED", executionTime: 5000 });
  const next = await run(simulator, { ms: 0 });
  await simulator.advance(100);
  expect(await status(simulator, next)).toMatchObject({ status: "COMPLETED", delayTime: 100 });
});

test("a result that comes after the cancel changes nothing", async () => {
  const simulator = await startOne({ handler: stubborn });
  const id = await run(simulator, { ms: 60_000 });
  await simulator.advance(11_000);
  await call(simulator, "POST", `cancel/${id}`);
  await simulator.advance(0);
  expect(await status(simulator, id)).toMatchObject({ status: "CANCELLED" });
  expect(story(simulator, "late_report")).toEqual(["11000 late_report"]);
});

test("a worker whose handler does not let go after a cancel is stopped", async () => {
  const hangs = () => new Promise(() => {});
  const simulator = await startOne(
    { handler: hangs, stopGraceMs: 3000 },
    { clock: virtualClock({ patienceMs: 10 }) },
  );
  const id = await run(simulator, { x: 1 });
  await simulator.advance(10_500);
  await call(simulator, "POST", `cancel/${id}`);
  expect(await health(simulator)).toMatchObject({ jobs: { inProgress: 0 } });
  await simulator.advance(3000);
  expect(simulator.endpoints()[0]?.workers.map(({ state }) => state)).not.toContain("running");
});

test("cancelling a finished job leaves it as it is", async () => {
  const simulator = await startOne();
  const id = await run(simulator, { x: 1 });
  await simulator.advance(12_000);
  expect((await call(simulator, "POST", `cancel/${id}`)).body).toEqual({ id, status: "COMPLETED" });
});

test("a job past its execution timeout fails, late, and its worker stops", async () => {
  const simulator = await startOne({ handler: sleep });
  const id = await run(simulator, { ms: 60_000 }, { policy: { executionTimeout: 5000 } });
  await simulator.advance(10_100 + 7999);
  expect(await status(simulator, id)).toMatchObject({ status: "IN_PROGRESS" });
  await simulator.advance(1);
  expect(await status(simulator, id)).toEqual({
    delayTime: 10_100,
    error: "executionTimeout exceeded",
    executionTime: 8000,
    id,
    status: "FAILED",
    workerId: expect.any(String),
  });
  expect(story(simulator, "worker_stopped")).toEqual(["18100 worker_stopped"]);
});

test("a job that ends between its execution timeout and the strike is completed", async () => {
  const simulator = await startOne({ handler: sleep });
  const id = await run(simulator, { ms: 6000 }, { policy: { executionTimeout: 5000 } });
  await simulator.advance(30_000);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED" });
});

test("the endpoint's execution timeout counts where the policy names none, and may end as TIMED_OUT", async () => {
  const simulator = await startOne({ handler: sleep, executionTimeoutMs: 5000, timeoutState: "TIMED_OUT" });
  const id = await run(simulator, { ms: 60_000 });
  await simulator.advance(20_000);
  expect(await status(simulator, id)).toMatchObject({ status: "TIMED_OUT" });
});

test("a job whose time to live is over is gone, waiting or running", async () => {
  const simulator = await startOne({ handler: sleep, workersMax: 1 });
  const policy = { ttl: 15_000 };
  const running = await run(simulator, { ms: 60_000 }, { policy });
  const waiting = await run(simulator, { ms: 60_000 }, { policy });
  await simulator.advance(14_999);
  expect((await status(simulator, running)).status).toBe("IN_PROGRESS");
  await simulator.advance(1);
  for (const id of [running, waiting]) {
    expect(await call(simulator, "GET", `status/${id}`)).toMatchObject({ status: 404 });
  }
  expect(await health(simulator)).toMatchObject({ jobs: { inProgress: 0, inQueue: 0 } });
});

test("the end of the time to live may leave the job as TIMED_OUT", async () => {
  const simulator = await startOne({ ttlEnd: "TIMED_OUT", workersMax: 0 });
  const id = await run(simulator, { x: 1 }, { policy: { ttl: 20_000 } });
  await simulator.advance(20_000);
  expect(await status(simulator, id)).toEqual({ id, status: "TIMED_OUT" });
  await simulator.advance(30 * 60_000);
  expect(await call(simulator, "GET", `status/${id}`)).toMatchObject({ status: 404 });
});

test("a finished job is kept for 30 minutes, one of runsync for 1 minute", async () => {
  const simulator = await startOne();
  const id = await run(simulator, { x: 1 });
  await simulator.advance(10_100 + 30 * 60_000 - 1);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED" });
  await simulator.advance(1);
  expect(await call(simulator, "GET", `status/${id}`)).toMatchObject({ status: 404 });

  const answer = call(simulator, "POST", "runsync", { input: { x: 1 } });
  await simulator.until((event) => event.type === "queued" && event.job.startsWith("sync-"));
  await simulator.advance(10_100);
  const sync = (await answer).body.id;
  await simulator.advance(59_999);
  expect(await status(simulator, sync)).toMatchObject({ status: "COMPLETED" });
  await simulator.advance(1);
  expect(await call(simulator, "GET", `status/${sync}`)).toMatchObject({ status: 404 });
});

test("retry queues a failed job again under its id, without its old end", async () => {
  let calls = 0;
  const simulator = await startOne({
    handler: () => (calls++ ? { ok: true } : { error: "once", partial: 1 }),
  });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(11_000);
  expect(await status(simulator, id)).toMatchObject({ status: "FAILED", output: { partial: 1 } });
  expect((await call(simulator, "POST", `retry/${id}`)).body).toEqual({ id, status: "IN_QUEUE" });
  expect(await status(simulator, id)).toEqual({ id, status: "IN_QUEUE" });
  await simulator.advance(100);
  expect(await status(simulator, id)).toMatchObject({
    status: "COMPLETED",
    output: { ok: true },
    delayTime: 100,
  });
});

test("retry refuses a job that is neither FAILED nor TIMED_OUT", async () => {
  const simulator = await startOne({ handler: progress });
  const id = await run(simulator, { steps: 1 });
  expect(await call(simulator, "POST", `retry/${id}`)).toMatchObject({ status: 400 });
  await simulator.advance(30_000);
  expect(await call(simulator, "POST", `retry/${id}`)).toMatchObject({ status: 400 });
});

test("purge-queue removes what waits and leaves what runs", async () => {
  const simulator = await startOne({ handler: sleep, workersMax: 1 });
  const running = await run(simulator, { ms: 60_000 });
  await simulator.advance(11_000);
  const waiting = [await run(simulator, { ms: 1 }), await run(simulator, { ms: 1 })];
  expect((await call(simulator, "POST", "purge-queue")).body).toEqual({ removed: 2, status: "completed" });
  expect(await call(simulator, "GET", `status/${waiting[0]}`)).toMatchObject({ status: 404 });
  expect(await status(simulator, running)).toMatchObject({ status: "IN_PROGRESS" });
});
