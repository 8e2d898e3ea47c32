import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { fail, realClock, sleep, virtualClock } from "../src/index.ts";
import { call, receiver, run, startOne, status, story } from "./helpers.ts";

const webhook = "https://app.example/hook?token=secret";

test("the end is told once: the status with input and webhook, without the worker, keys in order", async () => {
  const { calls, post } = receiver();
  const simulator = await startOne({ handler: sleep }, { webhook: { post } });
  const id = await run(simulator, { ms: 88 }, { webhook });
  await simulator.advance(3_600_000);
  expect(calls).toHaveLength(1);
  expect(calls[0]?.url).toBe(webhook);
  expect(calls[0]?.text).toBe(
    `{"delayTime":10100,"executionTime":88,"id":"${id}","input":{"ms":88},"output":{"slept":88},"status":"COMPLETED","webhook":"${webhook}"}`,
  );
});

test("a failed job is told with its error, a cancelled one is not told unless asked for", async () => {
  const { calls, post } = receiver();
  const simulator = await startOne({ handler: fail }, { webhook: { post } });
  await run(simulator, { message: "no" }, { webhook });
  await simulator.advance(12_000);
  expect(calls[0]?.body).toMatchObject({ status: "FAILED", error: expect.stringContaining("no") });

  const other = await startOne(
    {},
    { webhook: { post, states: ["COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"] } },
  );
  for (const instance of [simulator, other]) {
    const id = await run(instance, { x: 1 }, { webhook });
    await call(instance, "POST", `cancel/${id}`);
    await instance.advance(1000);
  }
  expect(calls.slice(1).map(({ body }) => body.status)).toEqual(["CANCELLED"]);
});

test("a receiver that fails is tried three times, at 0, +5 and +15 seconds, and then given up", async () => {
  const { calls, post } = receiver([500, new Error("connect ECONNREFUSED"), 302, 200]);
  const simulator = await startOne({}, { webhook: { post } });
  const id = await run(simulator, { x: 1 }, { webhook });
  await simulator.advance(3_600_000 / 4);
  expect(story(simulator, "webhook", "webhook_given_up")).toEqual([
    "10100 webhook 500",
    "15100 webhook connect ECONNREFUSED",
    "30100 webhook 302",
    "30100 webhook_given_up",
  ]);
  expect(new Set(calls.map(({ text }) => text)).size).toBe(1);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED" });
});

test("any 2xx answer ends the attempts", async () => {
  const { calls, post } = receiver([503, 204]);
  const simulator = await startOne({}, { webhook: { post } });
  await run(simulator, { x: 1 }, { webhook });
  await simulator.advance(60_000);
  expect(calls).toHaveLength(2);
});

test("attempts and waits can be set to what the documentation says", async () => {
  const { post } = receiver([500, 500, 500]);
  const simulator = await startOne({}, { webhook: { post, retryDelaysMs: [10_000, 10_000] } });
  await run(simulator, { x: 1 }, { webhook });
  await simulator.advance(60_000);
  expect(story(simulator, "webhook")).toEqual([
    "10100 webhook 500",
    "20100 webhook 500",
    "30100 webhook 500",
  ]);
});

test("a webhook goes out over HTTP with the headers that RunPod sends", async () => {
  const seen: { headers: IncomingHttpHeaders; method: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      seen.push({ headers: request.headers, method: request.method, body });
      response.writeHead(202).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;

  const simulator = await startOne();
  await run(simulator, { text: "größer" }, { webhook: `http://127.0.0.1:${port}/hook` });
  await simulator.advance(12_000);
  expect(seen).toHaveLength(1);
  expect(seen[0]?.method).toBe("POST");
  expect(seen[0]?.headers).toEqual({
    connection: "keep-alive",
    "content-length": String(Buffer.byteLength(seen[0]?.body ?? "")),
    "content-type": "application/json",
    host: `127.0.0.1:${port}`,
    traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
    "user-agent": "Go-http-client/2.0",
  });
  expect(JSON.parse(seen[0]?.body ?? "")).toMatchObject({ input: { text: "größer" }, status: "COMPLETED" });
});

test("a receiver that never answers counts as failed after the timeout", async () => {
  const post = (_url: string, _headers: object, _body: string, signal: AbortSignal) =>
    new Promise<number>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  const simulator = await startOne({}, { webhook: { post }, clock: virtualClock({ patienceMs: 10 }) });
  await run(simulator, { x: 1 }, { webhook });
  await simulator.advance(120_000);
  expect(story(simulator, "webhook")).toEqual([
    "20100 webhook the receiver took too long",
    "35100 webhook the receiver took too long",
    "60100 webhook the receiver took too long",
  ]);
});

test("a receiver has real time to answer in, however fast the clock", async () => {
  const post = (_url: string, _headers: object, _body: string, signal: AbortSignal) =>
    new Promise<number>((answer, refuse) => {
      signal.addEventListener("abort", () => refuse(signal.reason));
      setTimeout(() => answer(200), 50);
    });
  const simulator = await startOne({}, { webhook: { post }, clock: realClock(10_000) });
  await run(simulator, { x: 1 }, { webhook });
  const told = await simulator.until((event) => event.type === "webhook");
  expect(told).toMatchObject({ attempt: 1, answer: 200 });
});

test("a webhook that is no usable address is tried like any other", async () => {
  const simulator = await startOne();
  await run(simulator, { x: 1 }, { webhook: "not a url" });
  await run(simulator, { x: 1 }, { webhook: "ftp://127.0.0.1/" });
  await simulator.advance(60_000);
  expect(story(simulator, "webhook")).toHaveLength(6);
  expect(story(simulator, "webhook").join()).toContain("cannot call ftp:");
});
