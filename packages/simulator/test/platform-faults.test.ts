import { expect, test } from "vitest";
import { type Handler, progress, sleep } from "../src/index.ts";
import { call, health, KEY, receiver, run, startOne, status, story } from "./helpers.ts";

const webhook = "https://app.example/hook";

test("a worker without a host is throttled until one is found", async () => {
  const simulator = await startOne({}, { faults: [{ fault: "worker_throttle", times: 2, forMs: 30_000 }] });
  const id = await run(simulator, { x: 1 });
  expect(await health(simulator)).toMatchObject({
    jobs: { inQueue: 1 },
    workers: { throttled: 1, ready: 0 },
  });
  await simulator.advance(120_000);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED" });
  expect(story(simulator, "worker_throttled", "worker_starting")).toEqual([
    "0 worker_throttled",
    "4000 worker_throttled",
    "8000 worker_starting",
    "30000 worker_starting",
    "34000 worker_starting",
  ]);
});

test("a crash-looping worker is unhealthy, starts again ever later, and recovers when the fault is lifted", async () => {
  const simulator = await startOne({ workersMax: 1 });
  const lift = simulator.inject({ fault: "worker_crash_loop" });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(10_000);
  expect(await health(simulator)).toMatchObject({ jobs: { inQueue: 1 }, workers: { unhealthy: 1, idle: 0 } });
  await simulator.advance(90_000);
  expect(story(simulator, "worker_starting", "worker_unhealthy")).toEqual([
    "0 worker_starting",
    "10000 worker_unhealthy",
    "20000 worker_starting",
    "30000 worker_unhealthy",
    "50000 worker_starting",
    "60000 worker_unhealthy",
    "100000 worker_starting",
  ]);
  lift();
  await simulator.advance(20_000);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED" });
});

test("a worker that crashes for 7 days is given up", async () => {
  const simulator = await startOne(
    { workersMax: 1 },
    { faults: [{ fault: "worker_crash_loop" }], historyLimit: 10 },
  );
  const id = await run(simulator, { x: 1 }, { policy: { ttl: 60_000 } });
  await simulator.advance(8 * 86_400_000);
  expect(await call(simulator, "GET", `status/${id}`)).toMatchObject({ status: 404 });
  expect(simulator.endpoints()[0]?.workers).toEqual([{ id: expect.any(String), state: "stopped" }]);
});

test("a worker that crashes at work loses its jobs, which are re-dispatched", async () => {
  const simulator = await startOne(
    { handler: sleep, jobsPerWorker: 2, workersMax: 1 },
    { faults: [{ fault: "worker_crash", times: 1, afterMs: 2000 }] },
  );
  const ids = [await run(simulator, { ms: 20_000 }), await run(simulator, { ms: 20_000 })];
  await simulator.advance(12_200);
  expect(await health(simulator)).toMatchObject({
    jobs: { inProgress: 2 },
    workers: { unhealthy: 1, running: 0 },
  });
  await simulator.advance(120_000);
  for (const id of ids)
    expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED", retries: 1 });
});

test("no handler is faster than a worker that crashes as it takes the job", async () => {
  const simulator = await startOne({}, { faults: [{ fault: "worker_crash", times: 1 }] });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(120_000);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED", retries: 1 });
  expect(story(simulator, "lost", "worker_unhealthy", "late_report")).toEqual([
    "10100 worker_unhealthy",
    "55100 lost",
  ]);
});

test("starts and answers can be slow", async () => {
  const simulator = await startOne(
    {},
    {
      faults: [
        { fault: "slow_worker", delayMs: 5000 },
        { fault: "slow_answer", operation: "status", delayMs: [700, 900] },
      ],
    },
  );
  const id = await run(simulator, { x: 1 });
  await simulator.advance(15_100);
  const answer = status(simulator, id);
  await simulator.advance(900);
  expect(await answer).toMatchObject({ status: "COMPLETED", delayTime: 15_100 });
  const [received] = simulator
    .history()
    .filter((event) => event.type === "received" && event.operation === "status");
  const [answered] = simulator
    .history()
    .filter((event) => event.type === "answered" && event.operation === "status");
  const tookMs = (answered?.at ?? 0) - (received?.at ?? 0);
  expect(tookMs).toBeGreaterThanOrEqual(700);
  expect(tookMs).toBeLessThanOrEqual(900);
});

test("a job can take longer, within its execution timeout and until it is cancelled", async () => {
  const simulator = await startOne({}, { faults: [{ fault: "slow_job", delayMs: 30_000 }] });
  const id = await run(simulator, { x: 1 });
  const tooSlow = await run(simulator, { x: 2 }, { policy: { executionTimeout: 20_000 } });
  await simulator.advance(41_000);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED", executionTime: 30_000 });
  expect(await status(simulator, tooSlow)).toMatchObject({ error: "executionTimeout exceeded" });
  const cancelled = await run(simulator, { x: 3 });
  await simulator.advance(20_000);
  await call(simulator, "POST", `cancel/${cancelled}`);
  await simulator.advance(60_000);
  expect(await status(simulator, cancelled)).toMatchObject({ status: "CANCELLED" });
  expect(story(simulator, "late_report")).toEqual([]);
});

test("everything can be slow: starts, jobs, webhooks and answers", async () => {
  const { post } = receiver();
  const simulator = await startOne(
    {},
    { faults: [{ fault: "slow_everything", delayMs: 2000 }], webhook: { post } },
  );
  const running = run(simulator, { x: 1 }, { webhook: "https://app.example/hook" });
  await simulator.until((event) => event.type === "queued");
  await simulator.advance(20_000);
  await running;
  expect(story(simulator, "answered", "worker_ready", "finished", "webhook")).toEqual([
    "2000 answered 200",
    "12000 worker_ready",
    "14100 finished COMPLETED",
    "16100 webhook 200",
  ]);
});

test("a finished job can fall back to IN_PROGRESS with its last progress, for a while", async () => {
  const simulator = await startOne(
    { handler: progress },
    { faults: [{ fault: "status_regress", afterMs: 1000, forMs: 3000 }] },
  );
  const id = await run(simulator, { steps: 1, ms: 100 });
  const seen = [];
  for (const ms of [10_200, 1000, 3000]) {
    await simulator.advance(ms);
    const { status: state, output, executionTime } = await status(simulator, id);
    seen.push([state, output, executionTime]);
  }
  expect(seen).toEqual([
    ["COMPLETED", { steps: 1 }, 100],
    ["IN_PROGRESS", { progress: 1, step: 1 }, undefined],
    ["COMPLETED", { steps: 1 }, 100],
  ]);
});

test("status can tell of a state that nobody knows", async () => {
  const simulator = await startOne(
    { handler: sleep },
    {
      faults: [
        { fault: "other_state", times: 1 },
        { fault: "other_state", instead: "COMPLETED", state: "ARCHIVED", times: 1 },
      ],
    },
  );
  const id = await run(simulator, { ms: 1000 });
  const seen = [(await status(simulator, id)).status];
  await simulator.advance(10_500);
  seen.push((await status(simulator, id)).status, (await status(simulator, id)).status);
  await simulator.advance(1000);
  seen.push((await status(simulator, id)).status, (await status(simulator, id)).status);
  expect(seen).toEqual(["IN_QUEUE", "RUNNING", "IN_PROGRESS", "ARCHIVED", "COMPLETED"]);
});

const twoSteps: Handler = async (_, { progress: tell, sleep: wait }) => {
  for (const step of [1, 2]) {
    tell({ step });
    await wait(100);
  }
  return { done: true };
};

test.each(["ignored", "regress"] as const)(
  "progress can be late, so out of order and after the end, where it is %s",
  async (lateProgress) => {
    const simulator = await startOne(
      { handler: twoSteps, lateProgress, regressMs: 1000 },
      { faults: [{ fault: "progress_delay", delayMs: 150, times: 1 }] },
    );
    const id = await run(simulator, { x: 1 });
    await simulator.advance(10_249);
    expect(await status(simulator, id)).toMatchObject({ status: "IN_PROGRESS", output: { step: 2 } });
    await simulator.advance(1);
    expect(await status(simulator, id)).toMatchObject({ status: "IN_PROGRESS", output: { step: 1 } });

    simulator.inject({ fault: "progress_delay", delayMs: 500 });
    const late = await run(simulator, { x: 2 });
    await simulator.advance(1050);
    const states = [(await status(simulator, late)).status];
    await simulator.advance(2000);
    states.push((await status(simulator, late)).status);
    expect(states).toEqual([lateProgress === "regress" ? "IN_PROGRESS" : "COMPLETED", "COMPLETED"]);
    expect(story(simulator, "late_progress")).toHaveLength(2);
  },
);

test("a webhook can be overtaken by the next job's", async () => {
  const { calls, post } = receiver();
  const simulator = await startOne(
    { workersMax: 1 },
    { webhook: { post }, faults: [{ fault: "webhook_reorder", times: 1 }] },
  );
  for (const n of [1, 2, 3]) await run(simulator, { n }, { webhook });
  await simulator.advance(30_000);
  expect(calls.map(({ body }) => body.input.n)).toEqual([2, 1, 3]);
});

test("a webhook that nothing overtakes comes all the same, later", async () => {
  const { post } = receiver();
  const simulator = await startOne({}, { webhook: { post }, faults: [{ fault: "webhook_reorder" }] });
  await run(simulator, { n: 1 }, { webhook });
  await simulator.advance(120_000);
  expect(story(simulator, "webhook")).toEqual(["70100 webhook 200"]);
});

test("a worker's clock can be off, so that the times told are wrong", async () => {
  const simulator = await startOne({ handler: sleep }, { faults: [{ fault: "clock_skew", skewMs: -4000 }] });
  const id = await run(simulator, { ms: 1000 });
  await simulator.advance(20_000);
  expect(await status(simulator, id)).toMatchObject({ delayTime: 6100, executionTime: 5000 });
});

test("errors can come in bursts, again and again", async () => {
  const simulator = await startOne(
    {},
    { faults: [{ fault: "answer", status: 429, window: { fromMs: 1000, forMs: 2000, everyMs: 10_000 } }] },
  );
  const codes: string[] = [];
  for (let second = 0; second < 14; second++) {
    codes.push((await call(simulator, "GET", "health")).status === 429 ? "x" : ".");
    await simulator.advance(1000);
  }
  expect(codes.join("")).toBe(".xx........xx.");
});

test("any operation can end in a reset connection, before or after it had its effect", async () => {
  const simulator = await startOne(
    {},
    {
      faults: [
        { fault: "reset", operation: "cancel", applied: true, times: 1 },
        { fault: "reset", operation: "health", times: 1 },
      ],
    },
  );
  const id = await run(simulator, { x: 1 });
  const headers = { authorization: KEY };
  await expect(fetch(`${simulator.url}/ep/cancel/${id}`, { method: "POST", headers })).rejects.toThrow(
    "fetch failed",
  );
  expect(await status(simulator, id)).toEqual({ id, status: "CANCELLED" });
  await expect(fetch(`${simulator.url}/ep/health`, { headers })).rejects.toThrow("fetch failed");
});

test("a fault can be bound to what a job's input holds", async () => {
  const simulator = await startOne(
    { workersMax: 1 },
    { faults: [{ fault: "job_forget", input: { podbase: { task: "audio" } } }] },
  );
  const ids = [];
  for (const task of ["text", "audio"])
    ids.push(await run(simulator, { podbase: { task, attempt: 1 }, x: 1 }));
  await simulator.advance(20_000);
  const codes = await Promise.all(ids.map((id) => call(simulator, "GET", `status/${id}`)));
  expect(codes.map(({ status: code }) => code)).toEqual([200, 404]);
});

test("a result over the limit may leave the job running until its time is over", async () => {
  const simulator = await startOne({ handler: () => "x".repeat(10 * 1024 ** 2), oversizeResult: "stuck" });
  const id = await run(simulator, { x: 1 }, { policy: { executionTimeout: 60_000 } });
  await simulator.advance(60_000);
  expect(await status(simulator, id)).toMatchObject({ status: "IN_PROGRESS" });
  expect(await health(simulator)).toMatchObject({ workers: { running: 0 } });
  await simulator.advance(30_000);
  expect(await status(simulator, id)).toMatchObject({ status: "FAILED", error: "executionTimeout exceeded" });
});
