import { expect, test } from "vitest";
import { createSimulator, echo, type Fault, virtualClock } from "../src/index.ts";
import { call, EXACT, KEY, receiver, run, start, startOne, status, story } from "./helpers.ts";

const webhook = "https://app.example/hook";

const webhooksUnder = async (fault: Fault) => {
  const { calls, post } = receiver();
  const simulator = await startOne({}, { webhook: { post }, faults: [fault] });
  await run(simulator, { x: 1 }, { webhook });
  await simulator.advance(120_000);
  return { calls, simulator };
};

test("a webhook can be dropped, and the job is completed all the same", async () => {
  const { calls, simulator } = await webhooksUnder({ fault: "webhook_drop" });
  expect(calls).toEqual([]);
  expect(story(simulator, "finished", "fault")).toEqual(["10100 finished COMPLETED", "10100 fault"]);
});

test("a webhook can come twice, with the same body", async () => {
  const { calls, simulator } = await webhooksUnder({ fault: "webhook_duplicate", afterMs: 7000 });
  expect(story(simulator, "webhook")).toEqual(["10100 webhook 200", "17100 webhook 200"]);
  expect(calls[0]?.text).toBe(calls[1]?.text);
});

test("a webhook can be late", async () => {
  const { simulator } = await webhooksUnder({ fault: "webhook_delay", delayMs: 60_000 });
  expect(story(simulator, "webhook")).toEqual(["70100 webhook 200"]);
});

test("run can create the job and never answer", async () => {
  const simulator = await start({ faults: [{ fault: "run_unanswered" }] });
  const abort = new AbortController();
  const lost = fetch(`${simulator.url}/ep/run`, {
    method: "POST",
    headers: { authorization: KEY },
    body: `{"input":{"x":1}}`,
    signal: abort.signal,
  });
  const given = expect(lost).rejects.toThrow("aborted");
  await simulator.until((event) => event.type === "answered");
  abort.abort();
  await given;
  await expect(
    simulator.fetch(`${simulator.url}/ep/run`, {
      method: "POST",
      headers: { authorization: KEY },
      body: `{"input":{"x":2}}`,
      signal: AbortSignal.timeout(5),
    }),
  ).rejects.toThrow("timeout");
  await simulator.advance(20_000);
  const states = simulator.endpoints()[0]?.jobs.map(({ state }) => state);
  expect(states).toEqual(["COMPLETED", "COMPLETED"]);
});

test("run can create the job and reset the connection", async () => {
  const simulator = await start({ faults: [{ fault: "run_reset" }] });
  const headers = { authorization: KEY };
  const body = `{"input":{"x":1}}`;
  const lost = fetch(`${simulator.url}/ep/run`, { method: "POST", headers, body });
  await expect(lost).rejects.toThrow("fetch failed");
  await expect(call(simulator, "POST", "run", { input: { x: 2 } })).rejects.toThrow("fetch failed");
  expect(simulator.endpoints()[0]?.jobs).toHaveLength(2);
});

test("a refused run is answered, whatever befalls the others", async () => {
  const simulator = await start({ faults: [{ fault: "run_unanswered" }] });
  expect(await call(simulator, "POST", "run", { foo: 1 })).toMatchObject({ status: 400 });
});

test("an operation can be answered with an error, before or after it had its effect", async () => {
  const simulator = await start({
    faults: [
      { fault: "answer", operation: "run", status: 429, headers: { "retry-after": "3" }, times: 1 },
      { fault: "answer", operation: "run", status: 502, applied: true, times: 1, body: "Bad Gateway" },
      { fault: "answer", operation: "status", status: 500, times: 1 },
    ],
  });
  const request = () =>
    new Request(`${simulator.url}/ep/run`, {
      method: "POST",
      headers: { authorization: KEY },
      body: `{"input":{"x":1}}`,
    });
  const refused = await simulator.fetch(request());
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "3"]);
  expect(simulator.endpoints()[0]?.jobs).toHaveLength(0);

  const applied = await simulator.fetch(request());
  expect([applied.status, await applied.text()]).toEqual([502, "Bad Gateway"]);
  const [job] = simulator.endpoints()[0]?.jobs ?? [];
  expect(await call(simulator, "GET", `status/${job?.id}`)).toEqual({
    status: 500,
    body: { error: "fault: 500" },
  });
  expect(await status(simulator, job?.id ?? "")).toMatchObject({ status: "IN_QUEUE" });
});

test("a job can be forgotten", async () => {
  const simulator = await startOne({}, { faults: [{ fault: "job_forget", afterMs: 5000 }] });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(4999);
  expect(await status(simulator, id)).toMatchObject({ status: "IN_QUEUE" });
  await simulator.advance(60_000);
  expect(await call(simulator, "GET", `status/${id}`)).toMatchObject({ status: 404 });
  expect(story(simulator, "started")).toEqual([]);
});

test("a worker can lose its job, which is re-dispatched", async () => {
  const simulator = await startOne({}, { faults: [{ fault: "job_lose", times: 1 }] });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(120_000);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED", retries: 1, delayTime: 65_200 });
});

test("a fault can be bound to an endpoint, to some inputs, and to a number of times", async () => {
  const { calls, post } = receiver();
  const simulator = await createSimulator({
    apiKey: KEY,
    clock: virtualClock(),
    endpoints: { ep: { handler: echo, ...EXACT }, other: { handler: echo, ...EXACT } },
    webhook: { post },
    faults: [
      {
        fault: "webhook_drop",
        endpoint: "ep",
        when: ({ input }) => JSON.stringify(input).includes("unlucky"),
        skip: 1,
        times: 2,
      },
    ],
  });
  for (const n of [1, 2, 3, 4]) await run(simulator, { n, mood: "unlucky" }, { webhook });
  await run(simulator, { n: 5 }, { webhook });
  await simulator.advance(120_000);
  expect(calls.map(({ body }) => body.input.n)).toEqual([1, 4, 5]);
  await simulator.stop();
});

test("a fault can be put in force and lifted while the simulator runs", async () => {
  const simulator = await start();
  const lift = simulator.inject({ fault: "answer", operation: "health", status: 503 });
  expect(await call(simulator, "GET", "health")).toMatchObject({ status: 503 });
  lift();
  expect(await call(simulator, "GET", "health")).toMatchObject({ status: 200 });
});

test.each([204, 205, 304])("an answer of %i, which has no body by HTTP, can be made", async (code) => {
  const simulator = await start({ faults: [{ fault: "answer", status: code, times: 1 }] });
  const answer = await fetch(`${simulator.url}/ep/health`, { headers: { authorization: KEY } });
  expect([answer.status, await answer.text()]).toEqual([code, ""]);
});

test("a fault with a chance strikes about that often, and the same jobs under the same seed", async () => {
  const struck = async (seed: number) => {
    const { calls, post } = receiver();
    const simulator = await startOne(
      { workersMax: 50 },
      { seed, webhook: { post }, faults: [{ fault: "webhook_drop", chance: 0.3 }] },
    );
    for (let n = 0; n < 200; n++) await run(simulator, { n }, { webhook });
    await simulator.advance(600_000);
    return calls.map(({ body }) => body.input.n);
  };
  const [first, again, other] = [await struck(1), await struck(1), await struck(2)];
  expect(first).toEqual(again);
  expect(first).not.toEqual(other);
  expect(first.length).toBeGreaterThan(110);
  expect(first.length).toBeLessThan(170);
});

test.each<[Fault, string]>([
  [{ fault: "webhook_drop", chance: 2 }, "chance must be 0 to 1"],
  [{ fault: "webhook_drop", times: -1 }, "skip and times must be 0 or more"],
  [{ fault: "answer", status: 42 }, "status must be 200 to 599"],
  [{ fault: "answer", status: 429, headers: { "retry after": "1" } }, "retry after"],
])("a fault that cannot be is refused: %o", async (fault, message) => {
  await expect(start({ faults: [fault] })).rejects.toThrow(message);
});
