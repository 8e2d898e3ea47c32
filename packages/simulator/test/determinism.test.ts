import { expect, test } from "vitest";
import { ENDPOINT_DEFAULTS, fail, type Handler, type Simulator, sleep } from "../src/index.ts";
import { call, receiver, run, start, startUnseeded } from "./helpers.ts";

const webhook = "https://app.example/hook";

/** Half an hour with everything in it that is drawn by chance. */
const busyHalfHour = async (seed: number): Promise<Simulator> => {
  const { post } = receiver([500, new Error("reset"), 200, 503]);
  const erratic: Handler<{ n: number }> = async ({ input }, { sleep: wait, progress }) => {
    await wait(input.n * 100);
    progress({ progress: 0.5 });
    // Real work, which ends when it likes.
    await new Promise((resolve) => setTimeout(resolve, (input.n * 7) % 5));
    return input.n % 7 === 0 ? { error: "seven" } : { n: input.n };
  };
  const simulator = await start({
    seed,
    endpoints: {
      ep: { handler: erratic, ...ENDPOINT_DEFAULTS, workersMax: 5 },
      slow: { handler: sleep },
      bad: { handler: fail },
    },
    webhook: { post },
    faults: [
      { fault: "webhook_drop", chance: 0.1 },
      { fault: "webhook_duplicate", chance: 0.1 },
      { fault: "webhook_delay", chance: 0.1, delayMs: 30_000 },
      { fault: "job_lose", chance: 0.05 },
      { fault: "answer", operation: "run", status: 429, chance: 0.1 },
    ],
  });
  const ids: string[] = [];
  for (let n = 1; n <= 60; n++) {
    ids.push(await run(simulator, { n }, { webhook, policy: { executionTimeout: 5000 } }));
    await simulator.advance(n * 20);
    if (n % 9 === 0) await call(simulator, "POST", `cancel/${ids[n - 4]}`);
    await call(simulator, "GET", `status/${ids[Math.floor(n / 2)]}`);
  }
  await simulator.advance(30 * 60_000);
  return simulator;
};

test("the same seed and the same calls give the same history, another seed gives another", async () => {
  const first = (await busyHalfHour(7)).history();
  const again = (await busyHalfHour(7)).history();
  const other = (await busyHalfHour(8)).history();
  expect(first.length).toBeGreaterThan(500);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test("a fresh seed is told, and replays the run", async () => {
  const ids = async (simulator: Simulator) => [
    await run(simulator, { x: 1 }),
    await run(simulator, { x: 1 }),
  ];
  const [first, second] = [await startUnseeded(), await startUnseeded()];
  expect(first.seed).not.toBe(second.seed);
  const given = await ids(first);
  expect(await ids(await start({ seed: first.seed }))).toEqual(given);
  expect(await ids(second)).not.toEqual(given);
});

test("two runs with the same seed have byte-identical histories", async () => {
  const [first, again] = [await busyHalfHour(11), await busyHalfHour(11)];
  expect(JSON.stringify(again.history())).toBe(JSON.stringify(first.history()));
});

test("10,000 jobs over 24 virtual hours have their history, twice the same", async () => {
  const day = async () => {
    const simulator = await start({
      seed: 24,
      historyLimit: 200_000,
      endpoints: { ep: { handler: sleep, ...ENDPOINT_DEFAULTS, workersMax: 10, jobsPerWorker: 2 } },
      webhook: { post: receiver().post },
      faults: [
        { fault: "webhook_drop", chance: 0.05 },
        { fault: "job_lose", chance: 0.02 },
        { fault: "worker_crash", chance: 0.01, afterMs: [0, 5000] },
        { fault: "worker_throttle", chance: 0.1 },
      ],
    });
    const total = 10_000;
    for (let n = 0; n < total; n++) {
      await run(simulator, { ms: 1000 + (n % 20) * 1000 }, { webhook });
      await simulator.advance(86_400_000 / total);
    }
    return simulator;
  };
  const begin = performance.now();
  const simulator = await day();
  console.info(`10,000 jobs over 24 virtual hours: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  const history = simulator.history();
  const ends = history.filter((event) => event.type === "finished");
  expect(simulator.now()).toBe(86_400_000);
  expect(ends.length).toBeGreaterThan(9950);
  expect(history.filter((event) => event.type === "queued" && event.order > 0).length).toBeGreaterThan(
    10_000,
  );
  await simulator.stop();
}, 60_000);
