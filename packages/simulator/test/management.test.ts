import { expect, test } from "vitest";
import { fail, type Simulator, type SimulatorOptions, sleep } from "../src/index.ts";
import { EXACT, KEY, start } from "./helpers.ts";

const HOUR_MS = 3_600_000;

/** A caller of the management API. */
const callerOf = (simulator: Simulator, key = `Bearer ${KEY}`) =>
  async function ask(method: string, path: string, body?: unknown) {
    const response = await simulator.fetch(`${simulator.managementUrl}${path}`, {
      method,
      headers: { authorization: key },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get("content-type");
    return { status: response.status, type, body: text === "" ? undefined : JSON.parse(text) };
  };

const setUp = async (options: Partial<SimulatorOptions> = {}) => {
  const simulator = await start({
    endpoints: { ep: { handler: sleep, ...EXACT } },
    images: { "team/sleep:1": { handler: sleep, ...EXACT }, "team/fail:1": { handler: fail, ...EXACT } },
    ...options,
  });
  const submit = async (endpoint: string, input: unknown) => {
    const response = await simulator.fetch(`${simulator.url}/${endpoint}/run`, {
      method: "POST",
      headers: { authorization: KEY },
      body: JSON.stringify({ input }),
    });
    return { status: response.status, body: await response.json() };
  };
  return { simulator, ask: callerOf(simulator), submit };
};

const NEW = {
  name: "audio",
  type: "QUEUE",
  image: "team/sleep:1",
  gpu: { pools: ["ADA_24"] },
  scaling: { type: "QUEUE_DELAY", queueDelay: 4 },
};

test("an endpoint that the simulator was started with is listed", async () => {
  const { simulator, ask } = await setUp();
  const { status, body } = await ask("GET", "/serverless");
  expect(status).toBe(200);
  expect(body.endpoints).toMatchObject([
    {
      id: "ep",
      name: "ep",
      type: "QUEUE",
      requestUrls: { run: `${simulator.url}/ep/run`, runSync: `${simulator.url}/ep/runsync` },
      workers: { min: 0, max: 3, idleTimeout: 5 },
      scaling: { type: "QUEUE_DELAY", queueDelay: 4 },
      flashboot: "OFF",
    },
  ]);
});

test("an endpoint is created with RunPod's defaults and does its image's work", async () => {
  const { simulator, ask, submit } = await setUp();
  const { status, body } = await ask("POST", "/serverless", NEW);
  expect(status).toBe(201);
  expect(body).toMatchObject({
    id: expect.stringMatching(/^[a-z0-9]{14}$/),
    name: "audio",
    image: "team/sleep:1",
    gpu: { pools: ["ADA_24"], count: 1, allowedCudaVersions: [], minCudaVersion: null },
    workers: { min: 0, max: 3, idleTimeout: 10 },
    timeout: 0,
    flashboot: "OFF",
    createdAt: "1970-01-01T00:00:00.000Z",
  });
  expect(await ask("GET", `/serverless/${body.id}`)).toMatchObject({ status: 200, body });
  expect(body.requestUrls.purgeQueue).toBe(`${simulator.url}/${body.id}/purge-queue`);
  await submit(body.id, { ms: 1000 });
  await simulator.advance(12_000);
  const done = simulator.history().filter((event) => event.type === "finished");
  expect(done).toMatchObject([{ endpoint: body.id, state: "COMPLETED" }]);
});

test("a changed endpoint scales by its new settings at once", async () => {
  const { simulator, ask, submit } = await setUp();
  for (let n = 0; n < 4; n++) await submit("ep", { ms: 60_000 });
  const { body } = await ask("PATCH", "/serverless/ep", {
    name: "renamed",
    scaling: { type: "REQUEST_COUNT", requestCount: 1 },
    workers: { max: 4 },
    timeout: 30_000,
    flashboot: "PRIORITY_FLASHBOOT",
    gpu: { count: 2 },
  });
  expect(body).toMatchObject({
    name: "renamed",
    scaling: { type: "REQUEST_COUNT", requestCount: 1 },
    workers: { min: 0, max: 4 },
    timeout: 30_000,
    flashboot: "PRIORITY_FLASHBOOT",
    gpu: { pools: ["AMPERE_16"], count: 2 },
  });
  await simulator.advance(0);
  expect(simulator.endpoints()[0]?.workers).toHaveLength(4);
  await ask("PATCH", "/serverless/ep", { workers: { max: 0 } });
  expect(simulator.endpoints()[0]?.workers.every(({ state }) => state === "stopped")).toBe(true);
});

test("an image that nobody made waits for workers, whatever its name", async () => {
  const { simulator, ask, submit } = await setUp();
  const { body } = await ask("POST", "/serverless", { ...NEW, image: "constructor" });
  await submit(body.id, { ms: 1 });
  await simulator.advance(120_000);
  expect(simulator.endpoints().find(({ id }) => id === body.id)?.jobs).toMatchObject([{ state: "IN_QUEUE" }]);
});

test("a deleted endpoint is gone with its jobs; its bill remains", async () => {
  const { simulator, ask, submit } = await setUp();
  await submit("ep", { ms: 60_000 });
  await submit("ep", { ms: 60_000 });
  await simulator.advance(11_000);
  expect(await ask("DELETE", "/serverless/ep")).toMatchObject({ status: 204, body: undefined });
  expect(await ask("GET", "/serverless/ep")).toMatchObject({ status: 404, body: { title: "Not Found" } });
  expect(await submit("ep", { x: 1 })).toEqual({ status: 404, body: { detail: "endpoint not found" } });
  const ends = simulator.history().filter((event) => event.type === "finished");
  expect(ends.map((event) => event.type === "finished" && event.state)).toEqual(["CANCELLED", "CANCELLED"]);
  await simulator.advance(60_000);
  const { body } = await ask("GET", "/billing/serverless");
  expect(body.records).toMatchObject([{ serverlessId: "ep" }]);
});

test("workers are listed with their state and a summary that has no ready", async () => {
  const { simulator, ask, submit } = await setUp();
  await submit("ep", { ms: 60_000 });
  await simulator.advance(15_000);
  const { body } = await ask("GET", "/serverless/ep/workers");
  expect(body).toEqual({
    workers: [
      {
        id: expect.any(String),
        status: "RUNNING",
        isStale: false,
        version: 1,
        gpuCount: 1,
        image: "simulator",
        uptimeSeconds: 15,
        gpuTypeId: "NVIDIA RTX A4000",
        dataCenterId: "EU-RO-1",
        startedAt: "1970-01-01T00:00:00.000Z",
      },
    ],
    summary: { running: 1, idle: 0, initializing: 0, throttled: 0, unhealthy: 0, total: 1 },
    endpointVersion: 1,
  });
});

test("the bill is what the workers that ran cost, by the whole second, in each bucket", async () => {
  const { simulator, ask, submit } = await setUp();
  await simulator.advance(HOUR_MS - 12_000);
  await submit("ep", { ms: 20_500 });
  await simulator.advance(2 * HOUR_MS);
  // From the start at -12 s: 10 s cold, 0.1 s pick-up, 20.5 s work, 5 s idle = 35.6 s, so 36 s.
  const { body } = await ask("GET", "/billing/serverless?bucketSize=hour&lastN=5");
  const price = 0.00016;
  expect(body.records).toEqual([
    expect.objectContaining({
      startTime: "1970-01-01T00:00:00.000Z",
      endTime: "1970-01-01T01:00:00.000Z",
      serverlessId: "ep",
      totalAmount: 12 * price,
    }),
    expect.objectContaining({ startTime: "1970-01-01T01:00:00.000Z", gpuAmount: 24 * price, cpuAmount: 0 }),
  ]);
  expect(body.metadata).toMatchObject({
    query: { bucketSize: "hour", serverlessId: null, endTime: "1970-01-01T03:00:00.000Z" },
    recordCount: 2,
    uniqueServerlessCount: 1,
  });
  expect(body.metadata.totals.totalAmount).toBeCloseTo(36 * price, 12);
  for (const bucketSize of ["day", "week", "month", "year"]) {
    const { body: whole } = await ask("GET", `/billing/serverless?bucketSize=${bucketSize}&serverlessId=ep`);
    expect(whole.records).toHaveLength(1);
    expect(whole.records[0].totalAmount).toBeCloseTo(36 * price, 12);
  }
  expect((await ask("GET", "/billing/serverless?serverlessId=other")).body.records).toEqual([]);
});

test("the time until a worker is ready may be free", async () => {
  const { simulator, ask, submit } = await setUp({
    endpoints: { ep: { handler: sleep, ...EXACT, billsColdStart: false } },
  });
  await submit("ep", { ms: 1900 });
  await simulator.advance(60_000);
  const { body } = await ask("GET", "/billing/serverless");
  expect(body.metadata.totals.totalAmount).toBeCloseTo(7 * 0.00016, 12);
});

test("templates can be made, changed, used and deleted", async () => {
  const { simulator, ask, submit } = await setUp();
  const made = await ask("POST", "/templates", { name: "t", image: "team/fail:1", serverless: true });
  expect(made).toMatchObject({ status: 201, body: { category: "NVIDIA", public: false, env: {} } });
  const { id } = made.body;
  await ask("PATCH", `/templates/${id}`, { env: { A: "1" } });
  expect((await ask("GET", `/templates/${id}`)).body.env).toEqual({ A: "1" });
  expect((await ask("GET", "/templates")).body.templates).toHaveLength(1);
  const { image: _, ...withoutImage } = NEW;
  const { body } = await ask("POST", "/serverless", { ...withoutImage, templateId: id });
  await submit(body.id, { message: "from the template" });
  await simulator.advance(12_000);
  expect(simulator.history().find((event) => event.type === "finished")).toMatchObject({ state: "FAILED" });
  expect(await ask("DELETE", `/templates/${id}`)).toMatchObject({ status: 204 });
  expect(await ask("GET", `/templates/${id}`)).toMatchObject({ status: 404 });
});

test("network volumes can be made, changed and deleted", async () => {
  const { ask } = await setUp();
  const made = await ask("POST", "/network-volumes", { name: "v", size: 10, dataCenter: "EU-RO-1" });
  expect(made).toMatchObject({ status: 201, body: { type: "STANDARD", size: 10 } });
  const path = `/network-volumes/${made.body.id}`;
  expect(await ask("PATCH", path, { size: 20 })).toMatchObject({
    status: 200,
    body: { size: 20, name: "v" },
  });
  expect((await ask("GET", "/network-volumes")).body.networkVolumes).toHaveLength(1);
  expect(await ask("DELETE", path)).toMatchObject({ status: 204 });
  expect(await ask("GET", path)).toMatchObject({ status: 404 });
});

test("the catalog has each GPU's pool and price, and availability where asked for", async () => {
  const { ask } = await setUp();
  const { body } = await ask("GET", "/catalog/gpus");
  const card = body.gpus.find(({ id }: { id: string }) => id === "NVIDIA GeForce RTX 4090");
  expect(card).toMatchObject({ pool: "ADA_24", memory: 24, price: { serverless: 1.116 } });
  expect(card).not.toHaveProperty("availability");
  const available = await ask("GET", "/catalog/gpus?include=AVAILABILITY&product=SERVERLESS");
  expect(available.body.gpus[0].availability).toBe("HIGH");
  expect(await ask("GET", "/catalog/gpus?include=AVAILABILITY")).toMatchObject({ status: 400 });
});

test.each([
  ["an unknown field", "POST", "/serverless", { ...NEW, bogus: 1 }, 422],
  ["no scaling", "POST", "/serverless", { ...NEW, scaling: undefined }, 422],
  ["neither image nor template", "POST", "/serverless", { ...NEW, image: undefined }, 422],
  ["an unknown pool", "POST", "/serverless", { ...NEW, gpu: { pools: ["ADA_9000"] } }, 422],
  [
    "an idle timeout with REQUEST_COUNT",
    "POST",
    "/serverless",
    { ...NEW, scaling: { type: "REQUEST_COUNT", requestCount: 2 }, workers: { idleTimeout: 5 } },
    422,
  ],
  ["more workers at least than at most", "PATCH", "/serverless/ep", { workers: { min: 9 } }, 422],
  ["the same of a new one", "POST", "/serverless", { ...NEW, workers: { min: 5, max: 1 } }, 422],
  [
    "an idle timeout for what scales by REQUEST_COUNT",
    "PATCH",
    "/serverless/ep",
    { scaling: { type: "REQUEST_COUNT", requestCount: 2 }, workers: { idleTimeout: 30 } },
    422,
  ],
  ["no JSON", "POST", "/serverless", "{", 400],
  ["an unknown template", "POST", "/serverless", { ...NEW, image: undefined, templateId: "nope" }, 404],
  ["another image", "PATCH", "/serverless/ep", { image: "team/other:2" }, 501],
  ["a load balancer", "POST", "/serverless", { ...NEW, type: "LOAD_BALANCER" }, 422],
  ["a small volume", "POST", "/network-volumes", { name: "v", size: 1, dataCenter: "x" }, 422],
  ["nothing", "PATCH", "/network-volumes/x", {}, 422],
  ["an unknown bucket", "GET", "/billing/serverless?bucketSize=minute", undefined, 400],
  ["two ranges", "GET", "/billing/serverless?lastN=1&endTime=2026-01-01T00:00:00Z", undefined, 400],
  ["more buckets than time has", "GET", "/billing/serverless?lastN=99999999999999", undefined, 400],
  ["an unknown resource", "GET", "/pods", undefined, 501],
])("a request with %s is refused as a problem", async (_, method, path, body, status) => {
  const { ask } = await setUp();
  const answer = await ask(method, path, body);
  expect(answer).toMatchObject({
    status,
    type: "application/problem+json",
    body: { status, title: expect.any(String), detail: expect.any(String) },
  });
});

test("a wrong key is refused", async () => {
  const { simulator } = await setUp();
  expect(await callerOf(simulator, "Bearer wrong")("GET", "/serverless")).toMatchObject({
    status: 401,
    body: { title: "Unauthorized" },
  });
});
