import { expect, test } from "vitest";
import { type Simulator, sleep } from "../src/index.ts";
import { health, KEY, run, startOne, status } from "./helpers.ts";

const HOUR_MS = 3_600_000;

/** Changes endpoint `ep` through the management API, and tells how it stands then. */
const patch = async (simulator: Simulator, body: object) => {
  const answer = await simulator.fetch(`${simulator.managementUrl}/serverless/ep`, {
    method: "PATCH",
    headers: { authorization: KEY },
    body: JSON.stringify(body),
  });
  return answer.json();
};

test.each([1, 3])(
  "a maximum lowered to 0 lets jobs end and hands out none (%i per worker)",
  async (jobsPerWorker) => {
    const simulator = await startOne({ handler: sleep, workersMax: 2, jobsPerWorker });
    const held = 2 * jobsPerWorker;
    for (let n = 0; n < held + 5; n++) await run(simulator, { ms: 10_000 + n * 500 });
    await simulator.advance(15_000);
    expect(await health(simulator)).toMatchObject({ jobs: { inProgress: held, inQueue: 5 } });
    await patch(simulator, { workers: { max: 0 } });
    await simulator.advance(HOUR_MS);
    expect(await health(simulator)).toMatchObject({ jobs: { completed: held, inProgress: 0, inQueue: 5 } });
    expect(simulator.endpoints()[0]?.workers.every(({ state }) => state === "stopped")).toBe(true);
    await patch(simulator, { workers: { max: 1 } });
    await simulator.advance(HOUR_MS);
    expect(await health(simulator)).toMatchObject({ jobs: { completed: held + 5, inQueue: 0 } });
  },
);

test("of more busy workers than a lowered maximum the last ones get nothing more", async () => {
  const simulator = await startOne({ handler: sleep, workersMax: 2, jobsPerWorker: 2 });
  for (let n = 0; n < 20; n++) await run(simulator, { ms: 10_000 + n * 500 });
  await simulator.advance(15_000);
  await patch(simulator, { workers: { max: 1 } });
  await simulator.advance(20_000);
  expect(await health(simulator)).toMatchObject({ jobs: { inProgress: 2 }, workers: { running: 1 } });
  await simulator.advance(HOUR_MS);
  expect(await health(simulator)).toMatchObject({ jobs: { completed: 20, inQueue: 0 } });
});

test("a lower minimum, or a shorter idle timeout, stops workers that have been idle for long enough", async () => {
  const simulator = await startOne({ workersMin: 2, idleTimeoutMs: HOUR_MS });
  const idle = () => simulator.endpoints()[0]?.workers.filter(({ state }) => state === "idle").length;
  await simulator.advance(2 * HOUR_MS);
  await patch(simulator, { workers: { min: 1 } });
  await simulator.advance(0);
  expect(idle()).toBe(1);
  await patch(simulator, { workers: { min: 0, idleTimeout: 3600 } });
  await simulator.advance(0);
  expect(idle()).toBe(0);

  await run(simulator, { x: 1 });
  await simulator.advance(20_000);
  await patch(simulator, { workers: { idleTimeout: 30 } });
  await simulator.advance(20_099);
  expect(idle()).toBe(1);
  await simulator.advance(1);
  expect(idle()).toBe(0);
});

test("a timeout that is taken back leaves RunPod's default in force", async () => {
  const simulator = await startOne({ handler: sleep });
  await patch(simulator, { timeout: 5000 });
  expect(await patch(simulator, { timeout: 0 })).toMatchObject({ timeout: 0 });
  const id = await run(simulator, { ms: 60_000 });
  await simulator.advance(80_000);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED" });
});

test("FlashBoot that an endpoint was started with is told", async () => {
  const simulator = await startOne({ flashBoot: true });
  expect(await patch(simulator, { name: "renamed" })).toMatchObject({ flashboot: "FLASHBOOT" });
  expect(await patch(simulator, { flashboot: "OFF" })).toMatchObject({ flashboot: "OFF" });
});
