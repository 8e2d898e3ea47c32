import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createSimulator, echo, realClock } from "../src/index.ts";
import { KEY, start, startOne } from "./helpers.ts";

const post = (url: string, body: string, key = `Bearer ${KEY}`) =>
  fetch(url, { method: "POST", body, headers: { authorization: key, "content-type": "application/json" } });

describe("over HTTP", () => {
  test("the key is taken with and without Bearer, and nothing else is let in", async () => {
    const { url } = await start();
    const answers = await Promise.all(
      [`Bearer ${KEY}`, KEY, "Bearer wrong", "", `Basic ${KEY}`].map((authorization) =>
        fetch(`${url}/ep/health`, { headers: { authorization } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 401, 401]);
    expect((await fetch(`${url}/ep/health`)).status).toBe(401);
  });

  test("a client that adds /v2 to a base URL that has it is understood", async () => {
    const { url } = await start();
    expect(url).toMatch(/\/v2$/);
    expect((await fetch(`${url}/v2/ep/health`, { headers: { authorization: KEY } })).status).toBe(200);
  });

  test("an unknown endpoint and an unknown job are 404", async () => {
    const { url } = await start();
    const endpoint = await post(`${url}/other/run`, `{"input":{"x":1}}`);
    expect([endpoint.status, await endpoint.json()]).toEqual([404, { detail: "endpoint not found" }]);
    const job = await fetch(`${url}/ep/status/nope-u1`, { headers: { authorization: KEY } });
    expect(job.status).toBe(404);
  });

  test("a body over 10 MiB is refused with 400 and RunPod's words, sent whole or in chunks", async () => {
    const { url } = await start();
    const body = JSON.stringify({ input: { text: "x".repeat(10 * 1024 ** 2) } });
    const words = "bad request: body: exceeded max body size of 10MiB";
    const whole = await post(`${url}/ep/run`, body);
    expect([whole.status, await whole.text()]).toEqual([400, words]);

    const chunked = await fetch(`${url}/ep/run`, {
      method: "POST",
      headers: { authorization: KEY },
      body: new Blob([body]).stream(),
      duplex: "half",
    } as RequestInit);
    expect([chunked.status, await chunked.text()]).toEqual([400, words]);
    expect(
      (await post(`${url}/ep/runsync`, JSON.stringify({ input: 1, more: "x".repeat(21 * 1024 ** 2) })))
        .status,
    ).toBe(400);
  });

  test("a body of exactly 10 MiB is taken", async () => {
    const { url } = await start();
    const frame = `{"input":{"text":""}}`.length;
    const body = JSON.stringify({ input: { text: "x".repeat(10 * 1024 ** 2 - frame) } });
    expect(body).toHaveLength(10 * 1024 ** 2);
    expect((await post(`${url}/ep/run`, body)).status).toBe(200);
  });

  test.each([
    ["no JSON", "input"],
    ["no object", "[1]"],
    ["no input", `{"foo":1}`],
    ["an input of null", `{"input":null}`],
    ["a webhook that is no text", `{"input":1,"webhook":7}`],
    ["a policy that is no object", `{"input":1,"policy":7}`],
    ["a ttl that is no number", `{"input":1,"policy":{"ttl":"1h"}}`],
    ["a negative execution timeout", `{"input":1,"policy":{"executionTimeout":-1}}`],
    ["an input nested too deep", `{"input":${"[".repeat(1000)}${"]".repeat(1000)}}`],
  ])("a body with %s is refused with 400 and makes no job", async (_, body) => {
    const simulator = await start();
    expect((await post(`${simulator.url}/ep/run`, body)).status).toBe(400);
    expect(simulator.endpoints()[0]?.jobs).toEqual([]);
  });

  test.each([
    ["too long", `Bearer ${KEY}`, 20, 400],
    ["refused unread", "Bearer wrong", 5, 401],
  ])(
    "a slow client that sends all of a body that is %s before it reads gets its answer",
    async (_, key, mebibytes, status) => {
      const { url } = await start();
      const body = JSON.stringify({ input: "x".repeat(mebibytes * 1024 ** 2) });
      const head = [
        "POST /v2/ep/run HTTP/1.1",
        "host: x",
        `authorization: ${key}`,
        `content-length: ${body.length}`,
      ];
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      const send = (text: string) =>
        new Promise<void>((sent, failed) => socket.write(text, (error) => (error ? failed(error) : sent())));
      await send(`${head.join("\r\n")}\r\n\r\n${body.slice(0, 1000)}`);
      // Longer than a server waits for what it doesn't read.
      await setTimeout(700);
      await send(body.slice(1000));
      const [answer] = await once(socket, "data");
      socket.destroy();
      expect(String(answer)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    },
  );

  test.each(["null", "absent"])("a webhook, a policy and an s3Config may be %s", async (how) => {
    const { url } = await start();
    const none = how === "null" ? { webhook: null, policy: null, s3Config: null } : {};
    expect((await post(`${url}/ep/run`, JSON.stringify({ input: 1, ...none }))).status).toBe(200);
  });

  test.each([
    ["POST", "openai/v1/chat/completions", "openai"],
    ["POST", "batch", "batch"],
  ])("%s %s is not served and says so", async (method, path, name) => {
    const { url } = await start();
    const answer = await fetch(`${url}/ep/${path}`, { method, headers: { authorization: KEY } });
    expect(answer.status).toBe(501);
    expect(await answer.json()).toEqual({ error: `not implemented by the simulator: ${name}` });
  });

  test.each([
    ["POST", "requests", "GET"],
    ["POST", "health", "GET"],
    ["GET", "run", "POST"],
    ["GET", "cancel/x", "POST"],
    ["DELETE", "status/x", "GET, POST"],
  ])("%s %s is 405 and tells the methods there are", async (method, path, allowed) => {
    const { url } = await start();
    const answer = await fetch(`${url}/ep/${path}`, { method, headers: { authorization: KEY } });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allowed]);
  });

  test.each(["nothing", "status", "health/x", "constructor", "__proto__"])("GET %s is 404", async (path) => {
    const { url } = await start();
    expect((await fetch(`${url}/ep/${path}`, { headers: { authorization: KEY } })).status).toBe(404);
  });

  test("paths outside the job API are 404", async () => {
    const { url } = await start();
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(url.replace("/v2", "/v3/ep/health"))).status).toBe(404);
  });

  test("a job runs in real time by the same code", async () => {
    const simulator = await startOne({ coldStartMs: 1000 }, { clock: realClock(100) });
    const { id } = await (await post(`${simulator.url}/ep/run`, `{"input":{"x":1}}`)).json();
    await simulator.until((event) => event.type === "finished");
    const answer = await fetch(`${simulator.url}/ep/status/${id}`, { headers: { authorization: KEY } });
    const status = await answer.json();
    expect(status).toMatchObject({ status: "COMPLETED", output: { echo: { x: 1 } } });
    expect(status.delayTime).toBeGreaterThanOrEqual(1100);
    await expect(simulator.advance(1)).rejects.toThrow("only a virtual clock");
  });

  test("stop cuts open requests and frees the port", async () => {
    const simulator = await start();
    const waiting = post(`${simulator.url}/ep/runsync`, `{"input":{"x":1}}`);
    const cut = expect(waiting).rejects.toThrow();
    await simulator.until((event) => event.type === "queued");
    await simulator.stop();
    await cut;
    const { port } = new URL(simulator.url);
    await expect(start({ port: Number(port) })).resolves.toMatchObject({ url: simulator.url });
  });
});

test("a taken port is told", async () => {
  const { url } = await start();
  await expect(start({ port: Number(new URL(url).port) })).rejects.toThrow("EADDRINUSE");
});

test.each([
  [{ workersMax: -1 }, "workersMax must be a whole number"],
  [{ workersMin: 4 }, "workersMin must be at most workersMax"],
  [{ coldStartMs: [5, 1] as const }, "coldStartMs must be milliseconds"],
  [{ ttlMs: Number.NaN }, "ttlMs must be 0 or more"],
])("settings that cannot be are refused: %o", async (settings, message) => {
  await expect(startOne(settings)).rejects.toThrow(`endpoint "ep": ${message}`);
});

test("an empty key is refused", async () => {
  await expect(start({ apiKey: "" })).rejects.toThrow(RangeError);
});

test("an endpoint id that could not stand in a path is refused", async () => {
  await expect(createSimulator({ apiKey: KEY, endpoints: { "a/b": { handler: echo } } })).rejects.toThrow(
    "a/b",
  );
});
