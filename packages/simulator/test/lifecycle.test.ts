import { expect, test } from "vitest";
import { echo, type Handler, progress, sleep } from "../src/index.ts";
import { call, health, run, start, startOne, status, story } from "./helpers.ts";

test("a job goes from the queue to a cold worker and ends with its output", async () => {
  const simulator = await startOne({ handler: sleep });
  const answer = await call(simulator, "POST", "run", { input: { ms: 2000 } });
  expect(answer).toEqual({
    status: 200,
    body: {
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-u1$/),
      status: "IN_QUEUE",
    },
  });
  const { id } = answer.body;

  await simulator.advance(10_099);
  expect(await status(simulator, id)).toEqual({ id, status: "IN_QUEUE" });

  await simulator.advance(1);
  const workerId = expect.stringMatching(/^[a-z0-9]{14}$/);
  expect(await status(simulator, id)).toEqual({ delayTime: 10_100, id, status: "IN_PROGRESS", workerId });

  await simulator.advance(2000);
  expect(await status(simulator, id)).toEqual({
    delayTime: 10_100,
    executionTime: 2000,
    id,
    output: { slept: 2000 },
    status: "COMPLETED",
    workerId,
  });
});

test("a status object has its keys in alphabetical order", async () => {
  const simulator = await startOne();
  const id = await run(simulator, { x: 1 });
  await simulator.advance(20_000);
  const keys = Object.keys(await status(simulator, id));
  expect(keys).toEqual([...keys].sort());
});

test("a warm worker takes the next job at once, a stopped one starts cold again", async () => {
  const simulator = await startOne({ idleTimeoutMs: 5000 });
  const first = await run(simulator, { n: 1 });
  await simulator.advance(12_000);
  const second = await run(simulator, { n: 2 });
  await simulator.advance(20_000);
  const third = await run(simulator, { n: 3 });
  await simulator.advance(20_000);

  const [a, b, c] = await Promise.all([first, second, third].map((id) => status(simulator, id)));
  expect([a.delayTime, b.delayTime, c.delayTime]).toEqual([10_100, 100, 10_100]);
  expect(b.workerId).toBe(a.workerId);
  // RunPod keeps a scaled-down worker's record and wakes it.
  expect(c.workerId).toBe(a.workerId);
});

test("cold starts and pick-ups are drawn from RunPod's ranges", async () => {
  const simulator = await start({ endpoints: { ep: { handler: echo, idleTimeoutMs: 0 } } });
  const [colds, pickups]: [number[], number[]] = [[], []];
  for (let n = 0; n < 200; n++) {
    await run(simulator, { n });
    await simulator.advance(120_000);
  }
  const at = (type: string) =>
    simulator.history().flatMap((event) => (event.type === type ? [event.at] : []));
  const [starting, ready, started] = [at("worker_starting"), at("worker_ready"), at("started")];
  for (const [n, time] of ready.entries()) {
    colds.push(time - (starting[n] ?? 0));
    pickups.push((started[n] ?? 0) - time);
  }
  expect(colds).toHaveLength(200);
  expect(Math.min(...colds)).toBeGreaterThanOrEqual(10_000);
  expect(Math.max(...colds)).toBeLessThanOrEqual(75_000);
  expect(Math.max(...colds) - Math.min(...colds)).toBeGreaterThan(55_000);
  expect(Math.min(...pickups)).toBeGreaterThanOrEqual(50);
  expect(Math.max(...pickups)).toBeLessThanOrEqual(2000);
});

test("health shows a worker on its way, at work, warm and scaled down", async () => {
  const simulator = await startOne({ handler: sleep, idleTimeoutMs: 5000 });
  const counts = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 };
  const jobs = { completed: 0, failed: 0, inProgress: 0, inQueue: 0, retried: 0 };
  expect(await health(simulator)).toEqual({ jobs, workers: counts });

  await run(simulator, { ms: 1000 });
  expect(await health(simulator)).toEqual({
    jobs: { ...jobs, inQueue: 1 },
    workers: { ...counts, initializing: 1 },
  });
  await simulator.advance(10_500);
  expect(await health(simulator)).toEqual({
    jobs: { ...jobs, inProgress: 1 },
    workers: { ...counts, running: 1 },
  });
  await simulator.advance(1000);
  // idle and ready overlap: both count the same worker.
  const atRest = { jobs: { ...jobs, completed: 1 }, workers: { ...counts, idle: 1, ready: 1 } };
  expect(await health(simulator)).toEqual(atRest);
  expect(simulator.endpoints()[0]?.workers).toEqual([{ id: expect.any(String), state: "idle" }]);
  await simulator.advance(60_000);
  expect(await health(simulator)).toEqual(atRest);
  expect(simulator.endpoints()[0]?.workers).toEqual([{ id: expect.any(String), state: "stopped" }]);
});

test("further workers start once a job has waited for the queue delay, up to the maximum", async () => {
  const simulator = await startOne({ handler: sleep, workersMax: 2, queueDelayMs: 4000 });
  for (let n = 0; n < 6; n++) await run(simulator, { ms: 60_000 });
  await simulator.advance(30_000);
  expect(story(simulator, "worker_starting")).toEqual(["0 worker_starting", "4000 worker_starting"]);
  expect(simulator.endpoints()[0]?.queue).toHaveLength(4);
});

test("active workers start by themselves and never stop", async () => {
  const simulator = await startOne({ workersMin: 1, idleTimeoutMs: 1000 });
  await simulator.advance(60_000);
  const id = await run(simulator, { n: 1 });
  await simulator.advance(200);
  expect((await status(simulator, id)).delayTime).toBe(100);
  expect(story(simulator, "worker_starting", "worker_stopped")).toEqual(["0 worker_starting"]);
});

test("a low priority job starts no worker but is done by one that runs", async () => {
  const simulator = await startOne();
  const low = await run(simulator, { n: 1 }, { policy: { lowPriority: true } });
  await simulator.advance(60_000);
  expect((await status(simulator, low)).status).toBe("IN_QUEUE");
  const high = await run(simulator, { n: 2 });
  await simulator.advance(20_000);
  expect([(await status(simulator, low)).status, (await status(simulator, high)).status]).toEqual([
    "COMPLETED",
    "COMPLETED",
  ]);
});

test("progress is the output of a job in progress, and gone with its end", async () => {
  const simulator = await startOne({ handler: progress });
  const id = await run(simulator, { steps: 2, ms: 1000 });
  await simulator.advance(11_200);
  expect(await status(simulator, id)).toMatchObject({
    status: "IN_PROGRESS",
    output: { progress: 0.5, step: 1 },
  });
  await simulator.advance(1000);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED", output: { steps: 2 } });

  const cancelled = await run(simulator, { steps: 2, ms: 1000 });
  await simulator.advance(1200);
  await call(simulator, "POST", `cancel/${cancelled}`);
  expect(await status(simulator, cancelled)).not.toHaveProperty("output");
});

test("a handler gets a copy of the input and nothing of the rest of the body", async () => {
  let seen: unknown;
  const handler: Handler = (job) => {
    seen = structuredClone(job);
    job.input.x = 2;
    return job.input;
  };
  const simulator = await startOne({ handler });
  const s3Config = { accessId: "a", accessSecret: "b", bucketName: "c", endpointUrl: "d" };
  const id = await run(simulator, { x: 1 }, { correlation: "abc", webhook: "http://localhost:1", s3Config });
  await simulator.advance(12_000);
  expect(seen).toEqual({ id, input: { x: 1 }, s3Config });
  expect(await status(simulator, id)).toMatchObject({ output: { x: 2 } });
});

test("runsync answers with the result when it is there in time", async () => {
  const simulator = await startOne({ handler: sleep });
  const answer = call(simulator, "POST", "runsync", { input: { ms: 1000 } });
  await simulator.until((event) => event.type === "queued");
  await simulator.advance(15_000);
  expect((await answer).body).toEqual({
    delayTime: 10_100,
    executionTime: 1000,
    id: expect.stringMatching(/^sync-.*-u1$/),
    output: { slept: 1000 },
    status: "COMPLETED",
    workerId: expect.any(String),
  });
});

test("runsync answers with the state when the wait is over first", async () => {
  const simulator = await startOne({ handler: sleep });
  const answer = call(simulator, "POST", "runsync?wait=5000", { input: { ms: 1000 } });
  await simulator.until((event) => event.type === "queued");
  await simulator.advance(5000);
  const { body } = await answer;
  expect(body).toEqual({ id: expect.any(String), status: "IN_QUEUE" });
  await simulator.advance(10_000);
  expect(await status(simulator, body.id)).toMatchObject({ status: "COMPLETED" });
});

test("the history tells a job's way in order", async () => {
  const simulator = await startOne({ handler: sleep });
  await run(simulator, { ms: 500 });
  await simulator.advance(30_000);
  expect(simulator.history().map(({ at, type }) => [at, type])).toEqual([
    [0, "received"],
    [0, "queued"],
    [0, "worker_starting"],
    [0, "answered"],
    [10_000, "worker_ready"],
    [10_100, "started"],
    [10_600, "finished"],
    [15_600, "worker_stopped"],
  ]);
  expect(simulator.history().map(({ order }) => order)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test("the history keeps the newest events only", async () => {
  const simulator = await start({ historyLimit: 3 });
  for (let n = 0; n < 10; n++) await health(simulator);
  expect(simulator.history().map(({ order }) => order)).toEqual([18, 19, 20]);
});
