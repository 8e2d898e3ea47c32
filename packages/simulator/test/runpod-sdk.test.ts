import runpodSdk from "runpod-sdk";
import { expect, test } from "vitest";
import { type Fault, fail, type Handler, progress, type Simulator, sleep, stream } from "../src/index.ts";
import { EXACT, KEY, start, story } from "./helpers.ts";

/** The official client, version 1.1.2, over HTTP. */
const sdkOf = (simulator: Simulator, endpoint = "sleep", key = KEY) => {
  const found = runpodSdk(key, { baseUrl: simulator.url }).endpoint(endpoint);
  if (!found) throw new Error("the SDK gave no endpoint");
  return found;
};

const both: Handler = () => ({ error: "bad seed", partial: 1 });

const startAll = (faults: Fault[] = []) =>
  start({
    faults,
    endpoints: Object.fromEntries(
      Object.entries({ sleep, fail, progress, stream, both }).map(([id, handler]) => [
        id,
        { handler, ...EXACT },
      ]),
    ),
  });

const queued = (simulator: Simulator) => simulator.until((event) => event.type === "queued");

test("run gives the job's id and IN_QUEUE", async () => {
  const sdk = sdkOf(await startAll());
  expect(await sdk.run({ input: { ms: 1 } })).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}-u1$/),
    status: "IN_QUEUE",
  });
});

test("run passes on webhook, policy and s3Config", async () => {
  const seen: unknown[] = [];
  const simulator = await start({
    endpoints: { ep: { handler: (job) => void seen.push(job.s3Config), ...EXACT } },
    webhook: {
      post: async (url, _, body) => {
        seen.push(url, JSON.parse(body).status);
        return 200;
      },
    },
  });
  const s3Config = { accessId: "a", accessSecret: "b", bucketName: "c", endpointUrl: "d" };
  const policy = { executionTimeout: 5000, ttl: 60_000, lowPriority: false };
  await sdkOf(simulator, "ep").run({
    input: { x: 1 },
    webhook: "https://app.example/hook",
    policy,
    s3Config,
  });
  await simulator.advance(20_000);
  expect(seen).toEqual([s3Config, "https://app.example/hook", "COMPLETED"]);
});

test("status tells of the queue, the work with its progress, and the end", async () => {
  const simulator = await startAll();
  const sdk = sdkOf(simulator, "progress");
  const { id } = await sdk.run({ input: { steps: 2, ms: 1000 } });
  expect(await sdk.status(id)).toEqual({
    id,
    status: "IN_QUEUE",
    started: true,
    completed: false,
    succeeded: false,
  });
  await simulator.advance(11_200);
  expect(await sdk.status(id)).toMatchObject({
    status: "IN_PROGRESS",
    delayTime: 10_100,
    output: { progress: 0.5, step: 1 },
    completed: false,
  });
  await simulator.advance(1000);
  expect(await sdk.status(id)).toEqual({
    id,
    status: "COMPLETED",
    delayTime: 10_100,
    executionTime: 2000,
    output: { steps: 2 },
    workerId: expect.any(String),
    started: true,
    completed: true,
    succeeded: true,
  });
});

test("status of failed jobs has the error, as text or as JSON in a text, and what output there is", async () => {
  const simulator = await startAll();
  const thrown = await sdkOf(simulator, "fail").run({ input: { message: "no" } });
  const returned = await sdkOf(simulator, "both").run({ input: { x: 1 } });
  await simulator.advance(20_000);
  const status = (await sdkOf(simulator, "fail").status(thrown.id)) as unknown as { error: string };
  expect(status).toMatchObject({ status: "FAILED", completed: true, succeeded: false });
  expect(JSON.parse(status.error).error_message).toBe("no");
  expect(await sdkOf(simulator, "both").status(returned.id)).toMatchObject({
    status: "FAILED",
    error: "bad seed",
    output: { partial: 1 },
  });
});

test("statusSync waits for the end", async () => {
  const simulator = await startAll();
  const sdk = sdkOf(simulator);
  const { id } = await sdk.run({ input: { ms: 2000 } });
  const waiting = sdk.statusSync(id, 60_000);
  await simulator.until((event) => event.type === "received" && event.operation === "status-sync");
  await simulator.advance(12_100);
  expect(await waiting).toMatchObject({ id, status: "COMPLETED", output: { slept: 2000 }, succeeded: true });
});

test("runSync gives the result, at once or over status-sync, which holds it instead of letting it spin", async () => {
  const simulator = await startAll();
  const sdk = sdkOf(simulator);
  const quick = sdk.runSync({ input: { ms: 1000 } });
  await queued(simulator);
  await simulator.advance(11_100);
  expect(await quick).toEqual({
    id: expect.stringMatching(/^sync-[0-9a-f-]{36}-u1$/),
    status: "COMPLETED",
    delayTime: 10_100,
    executionTime: 1000,
    output: { slept: 1000 },
    workerId: expect.any(String),
    started: true,
    completed: true,
    succeeded: true,
  });

  const slow = sdk.runSync({ input: { ms: 170_000 } });
  await simulator.until((event) => event.type === "started" && event.run === 1);
  const asked = simulator.until((event) => event.type === "received" && event.operation === "status-sync");
  await simulator.until((event) => event.type === "queued" && event.order > 8);
  await simulator.advance(90_000);
  await asked;
  await simulator.advance(85_000);
  expect(await slow).toMatchObject({ status: "COMPLETED", output: { slept: 170_000 } });
  const looks = simulator
    .history()
    .filter((event) => event.type === "received" && event.operation === "status-sync");
  expect(looks).toHaveLength(1);
});

test("stream yields each chunk once and ends with the job", async () => {
  const simulator = await startAll();
  const sdk = sdkOf(simulator, "stream");
  const { id } = await sdk.run({ input: { chunks: 3, ms: 1000 } });
  const chunks: unknown[] = [];
  const reading = (async () => {
    for await (const chunk of sdk.stream(id)) chunks.push(chunk);
  })();
  for (let n = 0; n < 8; n++) {
    await simulator.until((event) => event.type === "received" && event.operation === "stream");
    await simulator.advance(2000);
  }
  await reading;
  expect(chunks).toEqual([1, 2, 3].map((chunk) => ({ output: { chunk } })));
});

test("stream breaks on an answer without a stream", async () => {
  const simulator = await startAll([
    { fault: "answer", operation: "stream", status: 200, body: { status: "IN_PROGRESS" } },
  ]);
  const sdk = sdkOf(simulator, "stream");
  const { id } = await sdk.run({ input: { chunks: 1 } });
  await expect(sdk.stream(id).next()).rejects.toThrow(TypeError);
});

test("cancel ends a job", async () => {
  const simulator = await startAll();
  const sdk = sdkOf(simulator);
  const { id } = await sdk.run({ input: { ms: 1000 } });
  expect(await sdk.cancel(id)).toEqual({ id, status: "CANCELLED" });
  expect(await sdk.status(id)).toMatchObject({ status: "CANCELLED", completed: true, succeeded: false });
});

test("health has the counters of jobs and workers", async () => {
  const simulator = await startAll();
  const sdk = sdkOf(simulator);
  await sdk.run({ input: { ms: 60_000 } });
  await simulator.advance(10_200);
  expect(await sdk.health()).toEqual({
    jobs: { completed: 0, failed: 0, inProgress: 1, inQueue: 0, retried: 0 },
    workers: { idle: 0, initializing: 0, ready: 0, running: 1, throttled: 0, unhealthy: 0 },
  });
});

test("purgeQueue removes what waits", async () => {
  const simulator = await startAll();
  const sdk = sdkOf(simulator);
  await sdk.run({ input: { ms: 1 } });
  await sdk.run({ input: { ms: 1 } });
  expect(await sdk.purgeQueue()).toEqual({ removed: 2, status: "completed" });
});

test("there is no retry and no batch in it", async () => {
  const sdk = sdkOf(await startAll());
  expect(["retry", "batch", "requests"].filter((name) => name in sdk)).toEqual([]);
});

test.each([400, 402, 413, 429, 500, 502])(
  "an answer of %i is thrown, with status and body, and not retried",
  async (status) => {
    const body = { error: "on purpose" };
    const simulator = await startAll([{ fault: "answer", status, body, headers: { "retry-after": "0" } }]);
    await expect(sdkOf(simulator).run({ input: { ms: 1 } })).rejects.toMatchObject({
      response: { status, data: body },
    });
    expect(story(simulator, "answered")).toHaveLength(1);
  },
);

test("a wrong key, an unknown endpoint and an unknown job are thrown", async () => {
  const simulator = await startAll();
  await expect(sdkOf(simulator, "sleep", "wrong").health()).rejects.toMatchObject({
    response: { status: 401 },
  });
  await expect(sdkOf(simulator, "other").health()).rejects.toMatchObject({
    response: { status: 404, data: { detail: "endpoint not found" } },
  });
  await expect(sdkOf(simulator).status("nope-u1")).rejects.toMatchObject({ response: { status: 404 } });
});

test("a run that is not answered in time is thrown, and the job is there all the same", async () => {
  const simulator = await startAll([{ fault: "run_unanswered" }]);
  // After the client's own 3 s: in a shorter time a busy machine may not even get to send the call.
  await expect(sdkOf(simulator).run({ input: { ms: 1 } })).rejects.toThrow();
  expect(simulator.endpoints()[0]?.jobs).toHaveLength(1);
});
