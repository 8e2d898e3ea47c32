import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { fail, progress, realClock, sleep } from "../src/index.ts";
import { call, health, run, startOne, status, story } from "./helpers.ts";

test("an input of {} may be one like any other", async () => {
  const simulator = await startOne({ emptyInput: "delivered" });
  const id = await run(simulator, {});
  await simulator.advance(20_000);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED", output: { echo: {} } });
});

test.each([
  [0, "job timed out after 0 retries"],
  [2, "job timed out after 2 retries"],
])("a silent worker's job may be re-dispatched %i times", async (reDispatches, error) => {
  const simulator = await startOne({ reDispatches }, { faults: [{ fault: "job_lose" }] });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(300_000);
  expect(await status(simulator, id)).toMatchObject({ status: "FAILED", error });
  expect(story(simulator, "started")).toHaveLength(reDispatches + 1);
});

test.each(["back", "front"] as const)("a re-dispatched job may wait at the %s", async (reDispatchPlace) => {
  const simulator = await startOne(
    { handler: sleep, reDispatchPlace, workersMax: 1 },
    { faults: [{ fault: "job_lose", times: 1 }] },
  );
  const [lost = ""] = [await run(simulator, { ms: 40_000 })];
  const others = [await run(simulator, { ms: 60_000 }), await run(simulator, { ms: 60_000 })];
  await simulator.until((event) => event.type === "queued" && event.order > 1);
  await simulator.advance(60_000);
  const [, next] = others;
  expect(simulator.endpoints()[0]?.queue).toEqual(reDispatchPlace === "back" ? [next, lost] : [lost, next]);
});

test("a short policy may be raised to the documented minimum, or refused", async () => {
  const short = { policy: { ttl: 1000, executionTimeout: 1000 } };
  const raising = await startOne({ handler: sleep, shortPolicy: "raised", timeoutLatenessMs: 0 });
  const tooShort = await run(raising, { ms: 60_000 }, short);
  await raising.advance(9999);
  expect(await status(raising, tooShort)).toMatchObject({ status: "IN_QUEUE" });
  await raising.advance(1);
  expect((await call(raising, "GET", `status/${tooShort}`)).status).toBe(404);
  const running = await run(raising, { ms: 60_000 }, { policy: { executionTimeout: 1000 } });
  await raising.advance(20_000);
  expect(await status(raising, running)).toMatchObject({ status: "FAILED", executionTime: 5000 });

  const refusing = await startOne({ shortPolicy: "refused" });
  const answer = await call(refusing, "POST", "run", { input: 1, ...short });
  expect([answer.status, answer.body]).toEqual([
    400,
    { error: "bad request: body: policy.executionTimeout must be at least 5000" },
  ]);
});

test("purged jobs may be CANCELLED", async () => {
  const simulator = await startOne({ purged: "CANCELLED" });
  const id = await run(simulator, { x: 1 });
  expect((await call(simulator, "POST", "purge-queue")).body).toEqual({ removed: 1, status: "completed" });
  expect(await status(simulator, id)).toMatchObject({ status: "CANCELLED" });
});

test("cancel and retry in a wrong state may be answered with another status", async () => {
  const simulator = await startOne({ cancelFinishedStatus: 409, retryRefusedStatus: 404 });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(20_000);
  expect((await call(simulator, "POST", `cancel/${id}`)).status).toBe(409);
  expect((await call(simulator, "POST", `retry/${id}`)).status).toBe(404);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED" });
});

test("a job without a result may keep its last progress", async () => {
  const simulator = await startOne({ handler: progress, keepsProgress: true });
  const id = await run(simulator, { steps: 9, ms: 1000 });
  await simulator.advance(12_500);
  await call(simulator, "POST", `cancel/${id}`);
  expect(await status(simulator, id)).toMatchObject({ status: "CANCELLED", output: { step: 2 } });
});

test("an end may count in /health for a while only", async () => {
  const simulator = await startOne({ handler: fail, healthWindowMs: 60_000 });
  await run(simulator, { x: 1 });
  await simulator.advance(20_000);
  expect((await health(simulator)).jobs.failed).toBe(1);
  await simulator.advance(60_000);
  expect((await health(simulator)).jobs.failed).toBe(0);
});

test("sizes, the region of ids, Retry-After and the bodies of refusals may be others", async () => {
  const simulator = await startOne(
    {},
    {
      largest: { run: 1024 },
      region: "e2",
      retryAfterSeconds: 3,
      rateLimits: { run: { per10s: 2, concurrent: 0 } },
      errorBody: (code, message) => ({ code, message }),
    },
  );
  expect(await run(simulator, { x: 1 })).toMatch(/-e2$/);
  const large = await call(simulator, "POST", "run", { input: "x".repeat(2048) });
  expect([large.status, large.body]).toEqual([400, "bad request: body: exceeded max body size of 1KiB"]);
  const response = await simulator.fetch(`${simulator.url}/ep/run`, {
    method: "POST",
    headers: { authorization: "test-key" },
    body: "{}",
  });
  expect([response.status, response.headers.get("retry-after"), await response.json()]).toEqual([
    429,
    "3",
    { code: 429, message: "too many requests" },
  ]);
});

test.each([
  [307, "failed", ["POST /hook"], 307],
  [307, "followed", ["POST /hook", "POST /there"], 200],
  [302, "followed", ["POST /hook", "GET /there"], 200],
] as const)("a webhook's redirect with %i may be %s", async (code, redirects, calls, answer) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(request.url === "/hook" ? code : 200, { location: "/there" });
    request.resume().once("end", () => response.end());
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const simulator = await startOne({}, { clock: realClock(1000), webhook: { redirects, retryDelaysMs: [] } });
  await run(simulator, { x: 1 }, { webhook });
  expect(await simulator.until((event) => event.type === "webhook")).toMatchObject({ answer });
  expect(seen).toEqual(calls);
});
