import { expect, test } from "vitest";
import { sleep } from "../src/index.ts";
import { call, run, start, startOne, story } from "./helpers.ts";

test("purge-queue is refused with 429 from the third time in 10 seconds", async () => {
  const simulator = await start();
  const purge = async () => (await call(simulator, "POST", "purge-queue")).status;
  expect([await purge(), await purge(), await purge()]).toEqual([200, 200, 429]);
  await simulator.advance(10_000);
  expect(await purge()).toBe(200);
});

test("run takes 1000 calls in 10 seconds, and a refused one makes no job", async () => {
  const simulator = await startOne({ workersMax: 0 });
  const codes = [];
  for (let n = 0; n < 1002; n++) codes.push((await call(simulator, "POST", "run", { input: { n } })).status);
  expect(codes.lastIndexOf(200)).toBe(999);
  expect(codes.slice(1000)).toEqual([429, 429]);
  expect(simulator.endpoints()[0]?.jobs).toHaveLength(1000);
});

test("the limit grows with the workers that are at work", async () => {
  const simulator = await startOne(
    { handler: sleep, workersMax: 3, queueDelayMs: 0 },
    { rateLimits: { run: { per10s: 4, concurrent: 2 } } },
  );
  for (let n = 0; n < 3; n++) await run(simulator, { ms: 60_000 });
  await simulator.advance(11_000);
  const codes = [];
  for (let n = 0; n < 8; n++) codes.push((await call(simulator, "POST", "run", { input: { n } })).status);
  expect(codes.filter((code) => code === 200)).toHaveLength(6);
});

test("only so many calls of an operation may be under way at once", async () => {
  const simulator = await startOne(
    { workersMax: 0 },
    { rateLimits: { runsync: { per10s: 0, concurrent: 2 } } },
  );
  const open = [1, 2].map((n) => call(simulator, "POST", "runsync", { input: { n } }));
  expect(await call(simulator, "POST", "runsync", { input: { n: 3 } })).toMatchObject({ status: 429 });
  await simulator.advance(90_000);
  await Promise.all(open);
  const next = call(simulator, "POST", "runsync?wait=1000", { input: { n: 4 } });
  await simulator.advance(1000);
  expect(await next).toMatchObject({ status: 200 });
});

test("health and retry have no limit, and all limits can be off", async () => {
  const simulator = await start({ rateLimits: false });
  for (let n = 0; n < 300; n++) await call(simulator, "POST", "purge-queue");
  expect(story(simulator, "answered").every((text) => text.endsWith("200"))).toBe(true);
  const limited = await start();
  for (let n = 0; n < 3000; n++) await call(limited, "GET", "health");
  expect(story(limited, "answered").every((text) => text.endsWith("200"))).toBe(true);
});
