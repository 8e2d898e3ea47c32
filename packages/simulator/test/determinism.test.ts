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

test("two runs with the same seed have byte-identical histories, another seed gives another", async () => {
  const first = (await busyHalfHour(7)).history();
  const again = (await busyHalfHour(7)).history();
  const other = (await busyHalfHour(8)).history();
  expect(first.length).toBeGreaterThan(500);
  expect(JSON.stringify(again)).toBe(JSON.stringify(first));
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

test("10,000 jobs over 24 virtual hours all come to an end or wait for it", async () => {
  const total = 10_000;
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const simulator = await start({
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
  for (let n = 0; n < total; n++) {
    await run(simulator, { ms: 1000 + (n % 20) * 1000 }, { webhook });
    await simulator.advance(86_400_000 / total);
  }
  const { user, system } = process.cpuUsage(cpu);
  const seconds = [(performance.now() - begin) / 1000, (user + system) / 1e6].map((value) =>
    value.toFixed(1),
  );
  console.info(`10,000 jobs over 24 virtual hours: ${seconds[0]} s, ${seconds[1]} s of CPU`);
  expect(simulator.now()).toBe(86_400_000);
  const events = simulator.history();
  const ended = events.filter(({ type }) => type === "finished").length;
  const open = simulator.endpoints().flatMap(({ jobs }) => jobs.filter(({ state }) => /^IN_/.test(state)));
  expect(ended + open.length).toBe(total);
  expect(open.length).toBeLessThan(50);
  const told = new Set(events.flatMap((event) => (event.type === "webhook" ? [event.job] : [])));
  const dropped = events.filter((event) => event.type === "fault" && event.fault === "webhook_drop").length;
  expect(told.size + dropped).toBe(ended);
}, 120_000);
