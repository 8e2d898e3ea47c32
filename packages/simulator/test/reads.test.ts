import { expect, test } from "vitest";
import { sleep } from "../src/index.ts";
import { call, run, startOne, status } from "./helpers.ts";

test("status-sync waits for the end, or for its time to be over", async () => {
  const simulator = await startOne({ handler: sleep });
  const id = await run(simulator, { ms: 5000 });
  const early = call(simulator, "GET", `status-sync/${id}?wait=2000`);
  const late = call(simulator, "POST", `status-sync/${id}`);
  await simulator.advance(2000);
  expect((await early).body).toEqual({ id, status: "IN_QUEUE" });
  await simulator.advance(13_100);
  expect((await late).body).toMatchObject({ id, status: "COMPLETED", output: { slept: 5000 } });
  const at = simulator.now();
  expect((await call(simulator, "GET", `status-sync/${id}`)).body.status).toBe("COMPLETED");
  expect(simulator.now()).toBe(at);
});

test("status-sync of a job that goes away meanwhile is 404", async () => {
  const simulator = await startOne();
  const id = await run(simulator, { x: 1 });
  const waiting = call(simulator, "GET", `status-sync/${id}`);
  await call(simulator, "POST", "purge-queue");
  expect(await waiting).toMatchObject({ status: 404 });
});

test.each([
  ["wait=1", 1000],
  ["wait=0", 1000],
  ["wait=999999", 300_000],
  ["", 90_000],
  ["wait=soon", 90_000],
])("runsync?%s waits %i ms for a job that nobody takes", async (query, expected) => {
  const simulator = await startOne({ workersMax: 0 });
  let endedAt: number | undefined;
  const answer = call(simulator, "POST", `runsync?${query}`, { input: { x: 1 } }).then(({ body }) => {
    endedAt = simulator.now();
    return body.status;
  });
  await simulator.until((event) => event.type === "queued");
  await simulator.advance(expected - 1);
  expect(endedAt).toBeUndefined();
  await simulator.advance(1);
  expect(await answer).toBe("IN_QUEUE");
});

test("status?ttl= lets a job live for that long from now, and no longer", async () => {
  const simulator = await startOne({ handler: sleep });
  const id = await run(simulator, { ms: 60_000 });
  await simulator.advance(11_000);
  expect((await call(simulator, "GET", `status/${id}?ttl=6000`)).body.status).toBe("IN_PROGRESS");
  await simulator.advance(5999);
  expect((await status(simulator, id)).status).toBe("IN_PROGRESS");
  await simulator.advance(1);
  expect(await call(simulator, "GET", `status/${id}`)).toMatchObject({ status: 404 });
  expect(await call(simulator, "GET", `status/${await run(simulator, { ms: 1 })}?ttl=-1`)).toMatchObject({
    status: 400,
  });
});

test("requests lists what is known, and metrics names the ready workers", async () => {
  const simulator = await startOne({ handler: sleep });
  const ids = [await run(simulator, { ms: 60_000 }), await run(simulator, { ms: 1 })];
  await simulator.advance(10_500);
  const { body } = await call(simulator, "GET", "requests");
  expect(body.requests).toMatchObject([
    { id: ids[0], status: "IN_PROGRESS" },
    { id: ids[1], status: "IN_QUEUE" },
  ]);
  const metrics = (await call(simulator, "GET", "metrics")).body;
  expect(metrics).toEqual({
    readyWorkers: [body.requests[0].workerId],
    workers: { idle: 0, initializing: 1, ready: 0, running: 1, throttled: 0, unhealthy: 0 },
  });
});
