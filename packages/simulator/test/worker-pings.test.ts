import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { realClock } from "../src/index.ts";
import { run, status } from "./helpers.ts";
import { start, workerOf } from "./wire-worker.ts";

test("a job is kept by pings that name it and lost without: re-dispatched once, then failed", async () => {
  const simulator = await start();
  const [first, second] = [workerOf(simulator), workerOf(simulator, "worker-2")];
  const id = await run(simulator, { x: 1 });
  await first.take();
  for (let n = 0; n < 10; n++) {
    await simulator.advance(10_000);
    await first.ping(id);
  }
  expect(await status(simulator, id)).toMatchObject({ status: "IN_PROGRESS" });
  await simulator.advance(30_000);
  await first.ping();
  await simulator.advance(15_000);
  expect(await status(simulator, id)).toEqual({ id, retries: 1, status: "IN_QUEUE" });
  expect((await second.take()).body).toMatchObject({ id });
  expect(await first.done(id, { output: 1 })).toMatchObject({ status: 200 });
  await simulator.advance(45_000);
  expect(await status(simulator, id)).toMatchObject({
    status: "FAILED",
    error: "job timed out after 1 retries",
  });
});

test("a worker program has real time for its pings and its calls, however fast the clock", async () => {
  const keep = { retention: { runMs: 86_400_000 } };
  const simulator = await start({ executionTimeoutMs: 86_400_000 }, { clock: realClock(1000), ...keep });
  const worker = workerOf(simulator);
  const taking = worker.take();
  const id = await run(simulator, { x: 1 });
  expect((await taking).body).toMatchObject({ id });
  // Far longer than a silent worker is waited for, were it on the simulator's clock.
  await setTimeout(100);
  await worker.done(id, { output: 1 });
  const told = await status(simulator, id);
  expect(told).toMatchObject({ status: "COMPLETED", output: 1 });
  expect(told).not.toHaveProperty("retries");
});

test("a worker that is not heard of is gone, until it asks again", async () => {
  const simulator = await start();
  const worker = workerOf(simulator);
  await worker.ping();
  await simulator.advance(65_000);
  expect(simulator.endpoints()[0]?.workers).toEqual([{ id: "worker-1", state: "stopped" }]);
  await worker.ping();
  expect(simulator.endpoints()[0]?.workers).toEqual([{ id: "worker-1", state: "idle" }]);
});
