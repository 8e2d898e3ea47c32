import { expect, test } from "vitest";
import { echo } from "../src/index.ts";
import { call, health, KEY, run, startOne, status, story } from "./helpers.ts";
import { start, workerOf } from "./wire-worker.ts";

test("the environment has what the library reads, with a ? in each address", async () => {
  const simulator = await start();
  expect(simulator.workerEnvironment("ep", "w1")).toEqual({
    RUNPOD_AI_API_KEY: KEY,
    RUNPOD_POD_ID: "w1",
    RUNPOD_ENDPOINT_ID: "ep",
    RUNPOD_PING_INTERVAL: "10000",
    RUNPOD_WEBHOOK_GET_JOB: `${simulator.url}/ep/job-take/$ID?gpu=NVIDIA+A40`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${simulator.url}/ep/job-done/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+A40`,
    RUNPOD_WEBHOOK_POST_STREAM: `${simulator.url}/ep/job-stream/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+A40`,
    RUNPOD_WEBHOOK_PING: `${simulator.url}/ep/ping/$RUNPOD_POD_ID?gpu=NVIDIA+A40`,
    RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
    RUNPOD_SKIP_GPU_CHECK: "true",
  });
});

test("the workers of a deleted endpoint are stopped with it, at work or not", async () => {
  const simulator = await start({ workerPollMs: 5000 });
  const id = await run(simulator, { x: 1 });
  expect(await workerOf(simulator, "w1").take()).toMatchObject({ body: { id } });
  const idle = workerOf(simulator, "w2").take();
  await simulator.until((event) => event.type === "worker_ready" && event.worker === "w2");
  await simulator.advance(1000);
  await simulator.fetch(`${simulator.managementUrl}/serverless/ep`, {
    method: "DELETE",
    headers: { authorization: KEY },
  });
  expect(story(simulator, "worker_stopped")).toEqual(["1000 worker_stopped", "1000 worker_stopped"]);
  await simulator.advance(120_000);
  expect(await idle).toMatchObject({ status: 204 });
  expect(story(simulator, "worker_stopped")).toHaveLength(2);
});

test("job-take waits for a job and gives it; job-done ends it", async () => {
  const simulator = await start();
  const worker = workerOf(simulator);
  const taking = worker.take();
  await simulator.until((event) => event.type === "worker_ready");
  expect(await health(simulator)).toMatchObject({ workers: { idle: 1, running: 0 } });
  const id = await run(simulator, { x: 1 });
  expect(await taking).toEqual({ status: 200, body: { id, input: { x: 1 } } });
  expect(await health(simulator)).toMatchObject({
    jobs: { inProgress: 1 },
    workers: { idle: 0, running: 1 },
  });
  await simulator.advance(3000);
  expect(await worker.done(id, { output: { y: 2 } })).toMatchObject({ status: 200 });
  expect(await status(simulator, id)).toEqual({
    delayTime: 0,
    executionTime: 3000,
    id,
    output: { y: 2 },
    status: "COMPLETED",
    workerId: "worker-1",
  });
});

test.each([
  [false, 204],
  [true, 400],
])("job-take without a job ends after its time (FlashBoot %s) with %i", async (flashBoot, code) => {
  const simulator = await start({ flashBoot });
  const taking = workerOf(simulator).take();
  await simulator.advance(20_000);
  expect(await taking).toEqual({ status: code, body: undefined });
});

test("job-take-batch gives a list of up to so many jobs", async () => {
  const simulator = await start();
  const ids = [];
  for (let n = 0; n < 3; n++) ids.push(await run(simulator, { n }));
  const { body } = await workerOf(simulator).takeBatch(2);
  expect(body).toEqual([
    { id: ids[0], input: { n: 0 } },
    { id: ids[1], input: { n: 1 } },
  ]);
});

test("a worker that hung up gets no job", async () => {
  const simulator = await start();
  const worker = workerOf(simulator);
  const abort = new AbortController();
  const gone = expect(worker.take(abort.signal)).rejects.toThrow();
  await simulator.until((event) => event.type === "worker_ready");
  abort.abort();
  await gone;
  const id = await run(simulator, { x: 1 });
  expect(await status(simulator, id)).toMatchObject({ status: "IN_QUEUE" });
  expect((await worker.take()).body).toMatchObject({ id });
});

test("a job-take over HTTP whose connection ends gets no job", async () => {
  const simulator = await start();
  const abort = new AbortController();
  const url = simulator.workerEnvironment("ep", "w1").RUNPOD_WEBHOOK_GET_JOB?.replace("$ID", "w1") ?? "";
  const gone = expect(fetch(url, { headers: { authorization: KEY }, signal: abort.signal })).rejects.toThrow(
    "aborted",
  );
  await simulator.until((event) => event.type === "worker_ready");
  abort.abort();
  await gone;
  // The server hears of it after the client.
  await expect
    .poll(() => run(simulator, { x: 1 }).then((id) => status(simulator, id)))
    .toMatchObject({
      status: "IN_QUEUE",
    });
});

test("progress, chunks and errors come through; progress after the end is told as late", async () => {
  const simulator = await start();
  const worker = workerOf(simulator);
  const id = await run(simulator, { x: 1 });
  await worker.take();
  await worker.done(id, { status: "IN_PROGRESS", output: { step: 1 } });
  await worker.stream(id, { output: "chunk" });
  expect(await status(simulator, id)).toMatchObject({ status: "IN_PROGRESS", output: { step: 1 } });
  await worker.done(id, { output: { partial: 1 }, error: "bad seed" });
  await worker.done(id, { status: "IN_PROGRESS", output: { step: 2 } });
  expect(await status(simulator, id)).toMatchObject({
    status: "FAILED",
    error: "bad seed",
    output: { partial: 1 },
  });
  expect((await call(simulator, "GET", `stream/${id}`)).body.stream).toEqual([{ output: "chunk" }]);
  expect(story(simulator, "late_progress", "late_report")).toEqual(["0 late_progress"]);
});

test("a result that is reported twice counts once", async () => {
  const simulator = await start();
  const worker = workerOf(simulator);
  const id = await run(simulator, { x: 1 });
  await worker.take();
  expect((await worker.done(id, { output: 1 })).status).toBe(200);
  expect((await worker.done(id, { output: 2 })).status).toBe(200);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED", output: 1 });
  expect((await health(simulator)).jobs.completed).toBe(1);
  expect(story(simulator, "finished", "late_report")).toEqual(["0 finished COMPLETED", "0 late_report"]);
});

test("a worker is told once to stop a job; what it reports all the same is late", async () => {
  const simulator = await start();
  const worker = workerOf(simulator);
  const id = await run(simulator, { x: 1 });
  await worker.take();
  const stops = worker.stops();
  await call(simulator, "POST", `cancel/${id}`);
  expect(await stops).toEqual({ status: 200, body: { jobsToStop: [id] } });
  const none = worker.stops();
  expect(await worker.done(id, { output: "slept" })).toMatchObject({ status: 200 });
  await simulator.advance(20_000);
  expect(await none).toEqual({ status: 204, body: undefined });
  expect(await status(simulator, id)).toMatchObject({ status: "CANCELLED" });
  expect(story(simulator, "late_report")).toHaveLength(1);
  expect(await health(simulator)).toMatchObject({ workers: { running: 0 } });
});

test("a job past its execution timeout is stopped too", async () => {
  const simulator = await start();
  const worker = workerOf(simulator);
  const id = await run(simulator, { x: 1 }, { policy: { executionTimeout: 5000 } });
  await worker.take();
  const stops = worker.stops();
  await simulator.advance(8000);
  expect((await stops).body).toEqual({ jobsToStop: [id] });
  expect(await status(simulator, id)).toMatchObject({ status: "FAILED", error: "executionTimeout exceeded" });
});

test("a result that is too large is refused with 400, and the job ends without it", async () => {
  const simulator = await start();
  const worker = workerOf(simulator);
  const id = await run(simulator, { x: 1 });
  await worker.take();
  expect(await worker.stream(id, { output: "x".repeat(1024 ** 2) })).toMatchObject({ status: 400 });
  expect(await worker.done(id, { output: "x".repeat(11 * 1024 ** 2) })).toMatchObject({ status: 400 });
  const told = await status(simulator, id);
  expect(told).toMatchObject({ status: "COMPLETED" });
  expect(told).not.toHaveProperty("output");
});

test("a job without input reaches the worker without the key, and is lost", async () => {
  const simulator = await start();
  const id = await run(simulator, {});
  expect((await workerOf(simulator).take()).body).toEqual({ id });
  await simulator.advance(45_000);
  expect(await status(simulator, id)).toMatchObject({ status: "IN_QUEUE", retries: 1 });
});

test("reports of unknown jobs, or that are no JSON, are refused", async () => {
  const simulator = await start();
  const worker = workerOf(simulator);
  expect(await worker.done("nope-u1", { output: 1 })).toMatchObject({ status: 404 });
  const id = await run(simulator, { x: 1 });
  await worker.take();
  expect(await worker.done(id, "output=1")).toMatchObject({ status: 400 });
  const deep = `{"output":${"[".repeat(9000)}${"]".repeat(9000)}}`;
  expect(await worker.done(id, deep)).toMatchObject({ status: 400 });
  expect(await status(simulator, id)).toMatchObject({ status: "IN_PROGRESS" });
});

test("a report can be answered with an error by a fault that names it, and by no other", async () => {
  const simulator = await start({}, { faults: [{ fault: "answer", status: 500, times: 1 }] });
  expect(await call(simulator, "POST", "run", { input: { x: 1 } })).toMatchObject({ status: 500 });
  simulator.inject({ fault: "answer", operation: "job-done", status: 500, times: 1 });
  simulator.inject({ fault: "answer", status: 503 });
  const worker = workerOf(simulator);
  const taking = worker.take();
  await simulator.advance(20_000);
  expect(await taking).toMatchObject({ status: 204 });
  expect(await worker.done("x", {})).toMatchObject({ status: 500 });
});

test("as many workers have jobs as the endpoint may have workers", async () => {
  const simulator = await start({ workersMax: 1 });
  for (let n = 0; n < 2; n++) await run(simulator, { n });
  await workerOf(simulator).take();
  const second = workerOf(simulator, "worker-2").take();
  await simulator.advance(20_000);
  expect(await second).toMatchObject({ status: 204 });
});

test("only the key is let in, and only endpoints that are served so have the protocol", async () => {
  const simulator = await start();
  const stranger = await simulator.fetch(`${simulator.url}/ep/job-take/w1?gpu=x`, {
    headers: { authorization: "wrong" },
  });
  expect(stranger.status).toBe(401);
  const other = await startOne({ handler: echo });
  expect(await call(other, "GET", "job-take/w1?gpu=x")).toMatchObject({ status: 404 });
});
