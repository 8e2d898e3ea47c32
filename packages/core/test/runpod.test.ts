import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { RunPod } from "../src/index.ts";

const REQUEST = {
  input: { a: 1 },
  webhook: "http://127.0.0.1:9/",
  policy: { executionTimeout: 5000, ttl: 10_000 },
};
let close: (() => void) | undefined;
afterEach(() => close?.());

/** A RunPod that gives one answer; `null` hangs up after it has read the request. */
async function runpodThatAnswers(
  answer: { status: number; body: string; headers?: Record<string, string> } | null,
) {
  const requests: { url: string; method: string; authorization: string; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    requests.push({
      url: request.url ?? "",
      method: request.method ?? "",
      authorization: request.headers.authorization ?? "",
      body,
    });
    if (!answer) return request.socket.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  close = () => server.close();
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`;
  return { runpod: new RunPod({ apiKey: "key", baseUrl, timeoutMs: 2000 }), requests };
}

describe("run", () => {
  it("is accepted with the id that RunPod gave", async () => {
    const { runpod, requests } = await runpodThatAnswers({
      status: 200,
      body: '{"id":"x-u1","status":"IN_QUEUE"}',
    });
    expect(await runpod.run("ep", REQUEST)).toEqual({ outcome: "accepted", providerId: "x-u1" });
    expect(requests).toMatchObject([{ url: "/v2/ep/run", method: "POST", authorization: "Bearer key" }]);
    expect(JSON.parse(requests[0]!.body)).toEqual(REQUEST);
  });

  it.each([
    [400, "rejected", "bad_input"],
    [401, "rejected", "auth"],
    [402, "rejected", "auth"],
    [404, "rejected", "unknown_endpoint"],
    [429, "rejected", "rate_limited"],
    [500, "unknown", undefined],
    [502, "unknown", undefined],
  ])("takes a %i as %s (%s)", async (status, outcome, failureClass) => {
    const { runpod, requests } = await runpodThatAnswers({ status, body: "no" });
    const result = await runpod.run("ep", REQUEST);
    expect(result.outcome).toBe(outcome);
    expect(result.class).toBe(failureClass);
    expect(requests).toHaveLength(1);
  });

  it("heeds Retry-After", async () => {
    const { runpod } = await runpodThatAnswers({ status: 429, body: "", headers: { "retry-after": "7" } });
    expect(await runpod.run("ep", REQUEST)).toMatchObject({ retryAfterMs: 7000 });
  });

  it("posts once and calls the outcome unknown when the connection breaks after sending", async () => {
    const { runpod, requests } = await runpodThatAnswers(null);
    expect(await runpod.run("ep", REQUEST)).toMatchObject({ outcome: "unknown" });
    expect(requests).toHaveLength(1);
  });

  it("calls a 200 without an id unknown", async () => {
    const { runpod } = await runpodThatAnswers({ status: 200, body: "<html>" });
    expect(await runpod.run("ep", REQUEST)).toMatchObject({ outcome: "unknown" });
  });

  it("knows that nothing was sent when nobody listens", async () => {
    const { runpod } = await runpodThatAnswers(null);
    close?.();
    close = undefined;
    await new Promise((resolve) => setImmediate(resolve));
    expect(await runpod.run("ep", REQUEST)).toMatchObject({
      outcome: "not_sent",
      class: "transient_network",
    });
  });

  it("calls a time-out unknown", async () => {
    const runpod = new RunPod({
      apiKey: "key",
      baseUrl: "http://127.0.0.1:9/v2",
      fetch: () => Promise.reject(new DOMException("timed out", "TimeoutError")),
    });
    expect(await runpod.run("ep", REQUEST)).toMatchObject({ outcome: "unknown" });
  });
});

describe("status", () => {
  it("gives the job", async () => {
    const { runpod } = await runpodThatAnswers({
      status: 200,
      body: '{"id":"x","status":"COMPLETED","output":{"a":1}}',
    });
    expect(await runpod.status("ep", "x")).toEqual({
      kind: "job",
      job: { id: "x", status: "COMPLETED", output: { a: 1 } },
    });
  });

  it("tells a forgotten job from an endpoint that the key cannot see", async () => {
    const gone = await runpodThatAnswers({ status: 404, body: "" });
    expect(await gone.runpod.status("ep", "x")).toEqual({ kind: "not_found" });
    close?.();
    const hidden = await runpodThatAnswers({ status: 404, body: '{"detail":"endpoint not found"}' });
    expect(await hidden.runpod.status("ep", "x")).toMatchObject({ kind: "unavailable", status: 404 });
  });

  it.each([500, 429, 401])("takes a %i as no news", async (status) => {
    const { runpod } = await runpodThatAnswers({ status, body: "" });
    expect(await runpod.status("ep", "x")).toMatchObject({ kind: "unavailable", status });
  });
});
