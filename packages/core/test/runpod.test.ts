import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { RunPod } from "../src/index.ts";

const REQUEST = {
  input: { a: 1 },
  webhook: "http://127.0.0.1:9/",
  policy: { executionTimeout: 5000, ttl: 10_000 },
};
const TOKEN = "0123456789abcdef".repeat(4);
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
  // A clock that stands still, so that a pause is as long as it was told.
  const clock = { now: () => 0 };
  return { runpod: new RunPod({ apiKey: "key", baseUrl, timeoutMs: 2000, clock }), requests };
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

  it("takes a redirect for no answer and follows none", async () => {
    const { runpod, requests } = await runpodThatAnswers({
      status: 301,
      body: "",
      headers: { location: "/" },
    });
    expect(await runpod.run("ep", REQUEST)).toMatchObject({ outcome: "unknown" });
    expect(await runpod.status("ep", "x")).toMatchObject({ kind: "unavailable", status: 301 });
    expect(requests.map(({ url }) => url)).toEqual(["/v2/ep/run", "/v2/ep/status/x"]);
  });

  it("keeps nothing secret of a refusal that quotes the request", async () => {
    const { runpod } = await runpodThatAnswers({ status: 422, body: `{"url":"https://p/w?token=${TOKEN}"}` });
    expect(await runpod.run("ep", REQUEST)).toEqual({
      outcome: "rejected",
      class: "bad_input",
      error: 'RunPod answered 422: {"url":"https://p/w?token=[redacted]"}',
    });
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

  it("tells a forgotten job from an endpoint that the key cannot see, and from a page that stands before it", async () => {
    const gone = await runpodThatAnswers({ status: 404, body: "" });
    expect(await gone.runpod.status("ep", "x")).toEqual({ kind: "not_found" });
    close?.();
    const hidden = await runpodThatAnswers({ status: 404, body: '{"detail":"endpoint not found"}' });
    expect(await hidden.runpod.status("ep", "x")).toMatchObject({ kind: "unavailable", status: 404 });
    close?.();
    const headers = { "content-type": "text/html; charset=utf-8" };
    const page = await runpodThatAnswers({ status: 404, body: "<html>", headers });
    expect(await page.runpod.status("ep", "x")).toMatchObject({ kind: "unavailable", status: 404 });
  });

  it.each([500, 429, 401])("takes a %i as no news", async (status) => {
    const { runpod } = await runpodThatAnswers({ status, body: "" });
    expect(await runpod.status("ep", "x")).toMatchObject({ kind: "unavailable", status });
  });
});

describe("health", () => {
  it("gives the counters that are there", async () => {
    const { runpod, requests } = await runpodThatAnswers({
      status: 200,
      body: '{"jobs":{"completed":31,"inProgress":0,"inQueue":2},"workers":{"idle":2,"ready":2,"throttled":"?"}}',
    });
    expect(await runpod.health("ep")).toMatchObject({
      kind: "health",
      workers: { idle: 2, ready: 2, throttled: undefined },
      jobs: { inQueue: 2, inProgress: 0 },
    });
    expect(requests).toMatchObject([{ url: "/v2/ep/health", method: "GET" }]);
  });

  it("takes anything else as no news", async () => {
    const { runpod } = await runpodThatAnswers({ status: 200, body: "<html>" });
    expect(await runpod.health("ep")).toMatchObject({ kind: "unavailable", status: 200 });
  });
});

/** A RunPod in this process that takes only `good`, and the keys that it was called with. */
function runpodThatTakes(good: string[], refusal: () => Response) {
  const used: string[] = [];
  const runpod = new RunPod({
    apiKey: "old",
    nextApiKey: "new",
    fetch: async (_url, init) => {
      const key = new Headers(init?.headers).get("authorization")?.replace("Bearer ", "") ?? "";
      used.push(key);
      return good.includes(key) ? Response.json({ id: "x", status: "IN_QUEUE" }) : refusal();
    },
  });
  return { runpod, used };
}
const unauthorized = () => new Response("unauthorized", { status: 401 });
const hidden = () => Response.json({ detail: "endpoint not found" }, { status: 404 });

describe("two keys", () => {
  it.each([
    ["refused", unauthorized],
    ["shown no endpoint", hidden],
  ])(
    "take each other's place when one is %s, and the one that works is remembered",
    async (_how, refusal) => {
      const good = ["old"];
      const { runpod, used } = runpodThatTakes(good, refusal);
      expect(await runpod.run("ep", REQUEST)).toMatchObject({ outcome: "accepted" });
      good[0] = "new";
      expect(await runpod.run("ep", REQUEST)).toMatchObject({ outcome: "accepted" });
      expect(await runpod.status("ep", "x")).toMatchObject({ kind: "job" });
      expect(used).toEqual(["old", "old", "new", "new"]);
      good[0] = "old";
      expect(await runpod.cancel("ep", "x")).toMatchObject({ kind: "job" });
      expect(used.slice(4)).toEqual(["new", "old"]);
    },
  );

  it("that are both wrong make a submission a refusal of class auth, and a look-up no news", async () => {
    const { runpod } = runpodThatTakes([], unauthorized);
    expect(await runpod.run("ep", REQUEST)).toMatchObject({ outcome: "rejected", class: "auth" });
    expect(await runpod.status("ep", "x")).toMatchObject({ kind: "unavailable", refused: true });
  });
});

describe("a 429", () => {
  const at = (headers: Record<string, string>) => {
    let now = 1_800_000_000_000;
    let calls = 0;
    const runpod = new RunPod({
      apiKey: "key",
      clock: { now: () => now },
      fetch: async () => {
        calls += 1;
        return new Response("", { status: 429, headers });
      },
    });
    return {
      runpod,
      calls: () => calls,
      later: (ms: number) => {
        now += ms;
      },
    };
  };

  it.each([
    ["seconds", { "retry-after": "7" }, 7000],
    ["a date", { "retry-after": new Date(1_800_000_009_000).toUTCString() }, 9000],
    ["an hour", { "retry-after": "3600" }, 600_000],
    ["nothing", {}, 2000],
    ["nonsense", { "retry-after": "soon" }, 2000],
  ])("that asks for %s keeps that operation of that endpoint silent", async (_what, headers, pause) => {
    const { runpod, calls, later } = at(headers as Record<string, string>);
    expect(await runpod.run("ep", REQUEST)).toMatchObject({
      class: "rate_limited",
      retryAfterMs: pause,
    });
    later(pause - 1);
    expect(await runpod.run("ep", REQUEST)).toMatchObject({
      outcome: "not_sent",
      class: "rate_limited",
      retryAfterMs: 1,
    });
    expect(calls()).toBe(1);
    expect(await runpod.status("ep", "x")).toMatchObject({
      kind: "unavailable",
      retryAfterMs: expect.any(Number),
    });
    await runpod.run("ep2", REQUEST);
    expect(calls()).toBe(3);
    later(1);
    await runpod.run("ep", REQUEST);
    expect(calls()).toBe(4);
  });
});
