import { expect, test } from "vitest";
import { sleep } from "../src/index.ts";
import { call, health, run, startOne, status, story } from "./helpers.ts";

const DAY_MS = 86_400_000;

test("REQUEST_COUNT keeps one worker for so many jobs, waiting or running", async () => {
  const simulator = await startOne({
    handler: sleep,
    scaler: "REQUEST_COUNT",
    requestCount: 2,
    workersMax: 4,
    pickupMs: 0,
  });
  for (let n = 0; n < 5; n++) await run(simulator, { ms: 60_000 });
  await simulator.advance(20_000);
  expect(story(simulator, "worker_starting")).toEqual(Array(3).fill("0 worker_starting"));
  expect(await health(simulator)).toMatchObject({
    jobs: { inProgress: 3, inQueue: 2 },
    workers: { running: 3 },
  });
  for (let n = 0; n < 20; n++) await run(simulator, { ms: 60_000 });
  expect(simulator.endpoints()[0]?.workers).toHaveLength(4);
});

test("a worker may do several jobs at once, and no more", async () => {
  const simulator = await startOne({ handler: sleep, jobsPerWorker: 3, workersMax: 1 });
  const ids = [];
  for (let n = 0; n < 4; n++) ids.push(await run(simulator, { ms: 10_000 }));
  await simulator.advance(11_000);
  expect(await health(simulator)).toMatchObject({
    jobs: { inProgress: 3, inQueue: 1 },
    workers: { running: 1 },
  });
  await simulator.advance(9500);
  expect(await status(simulator, ids[3] ?? "")).toMatchObject({ status: "IN_PROGRESS" });
  await simulator.advance(60_000);
  expect(await health(simulator)).toMatchObject({ jobs: { completed: 4 }, workers: { idle: 1, running: 0 } });
});

test("jobs that fit on workers under way start no further ones", async () => {
  const simulator = await startOne({ handler: sleep, jobsPerWorker: 3, workersMax: 9 });
  for (let n = 0; n < 7; n++) await run(simulator, { ms: 60_000 });
  await simulator.advance(30_000);
  expect(story(simulator, "worker_starting")).toEqual([
    "0 worker_starting",
    "4000 worker_starting",
    "4000 worker_starting",
  ]);
});

test("one slow job of several is stopped alone; its worker goes on with the others", async () => {
  const simulator = await startOne({ handler: sleep, jobsPerWorker: 2, workersMax: 1 });
  const slow = await run(simulator, { ms: 60_000 }, { policy: { executionTimeout: 5000 } });
  const other = await run(simulator, { ms: 30_000 });
  await simulator.advance(60_000);
  expect(await status(simulator, slow)).toMatchObject({
    status: "FAILED",
    error: "executionTimeout exceeded",
  });
  expect(await status(simulator, other)).toMatchObject({ status: "COMPLETED" });
  expect(await status(simulator, other)).not.toHaveProperty("retries");
});

test("FlashBoot starts a worker fast that stopped a short while ago", async () => {
  const simulator = await startOne({ flashBoot: true, flashBootMs: 700, flashBootKeepMs: 600_000 });
  const delays = [];
  for (const pauseMs of [60_000, 60_000, 700_000]) {
    const id = await run(simulator, { x: 1 });
    await simulator.advance(pauseMs);
    delays.push((await status(simulator, id)).delayTime);
  }
  const late = await run(simulator, { x: 1 });
  await simulator.advance(20_000);
  delays.push((await status(simulator, late)).delayTime);
  expect(delays).toEqual([10_100, 800, 800, 10_100]);
});

test("refresh_worker lets a worker's other jobs end before it stops", async () => {
  const simulator = await startOne({
    handler: async ({ input }: { input: { ms: number } }, { sleep: wait }) => {
      await wait(input.ms);
      return { refresh_worker: input.ms === 1000, ms: input.ms };
    },
    jobsPerWorker: 2,
    workersMax: 1,
  });
  const ids = [await run(simulator, { ms: 1000 }), await run(simulator, { ms: 9000 })];
  await simulator.advance(19_100);
  for (const id of ids) expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED" });
  expect(story(simulator, "worker_stopped")).toEqual(["19100 worker_stopped"]);
});

test("an endpoint without requests shrinks to 2 workers after 3 days and to none after 7, and then waits", async () => {
  const simulator = await startOne({ workersMin: 3, workersMax: 5 });
  await simulator.advance(2 * DAY_MS);
  await run(simulator, { x: 1 });
  await simulator.advance(3 * DAY_MS - 1);
  expect(story(simulator, "shrunk")).toEqual([]);
  await simulator.advance(1);
  expect(simulator.history().filter(({ type }) => type === "shrunk")).toMatchObject([{ workersMax: 2 }]);
  expect(simulator.endpoints()[0]?.workers.filter(({ state }) => state === "idle")).toHaveLength(2);
  await simulator.advance(4 * DAY_MS);
  expect(simulator.history().filter(({ type }) => type === "shrunk")).toMatchObject([
    { workersMax: 2, at: 5 * DAY_MS },
    { workersMax: 0, at: 9 * DAY_MS },
  ]);
  const id = await run(simulator, { x: 1 }, { policy: { ttl: 7 * DAY_MS } });
  await simulator.advance(DAY_MS);
  expect(await status(simulator, id)).toEqual({ id, status: "IN_QUEUE" });
});

test("an endpoint may be kept from shrinking", async () => {
  const simulator = await startOne({ workersMin: 1, shrinksIdle: false });
  await simulator.advance(30 * DAY_MS);
  expect(story(simulator, "shrunk")).toEqual([]);
});

test("the queue may have a cap, with 429 above 50 jobs and so many per worker", async () => {
  const simulator = await startOne({ workersMax: 1, queueCapPerWorker: 60, coldStartMs: 600_000 });
  for (let n = 0; n < 61; n++) await run(simulator, { n });
  expect(await call(simulator, "POST", "run", { input: { n: 61 } })).toMatchObject({ status: 429 });
});
