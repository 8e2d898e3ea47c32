import { get } from "node:http";
import { expect, test } from "vitest";
import { sleep } from "../src/index.ts";
import { receiver, run, start, startOne } from "./helpers.ts";

const webhook = "https://app.example/hook?token=secret";

test("state tells queue, workers, jobs and webhooks, and neither inputs nor webhook addresses", async () => {
  const { post } = receiver([500]);
  const simulator = await startOne({ handler: sleep, workersMax: 1 }, { webhook: { post } });
  const ids = [];
  for (let n = 0; n < 3; n++) ids.push(await run(simulator, { ms: 5000, text: "private" }, { webhook }));
  await simulator.advance(16_000);
  const text = await (await fetch(new URL("/state", simulator.url))).text();
  expect(text).not.toMatch(/private|secret|test-key/);
  expect(JSON.parse(text)).toMatchObject({
    at: 16_000,
    seed: "1",
    endpoints: [
      {
        id: "ep",
        queue: [ids[2]],
        workers: [{ state: "running" }],
        jobCount: 3,
        jobs: [
          { id: ids[2], state: "IN_QUEUE" },
          { id: ids[1], state: "IN_PROGRESS" },
          { id: ids[0], state: "COMPLETED" },
        ],
      },
    ],
    webhooks: [{ job: ids[0], attempt: 1, answer: 500 }],
  });
});

test("events is the history, as JSON or as a stream that goes on where it was left", async () => {
  const simulator = await startOne({ handler: sleep });
  await run(simulator, { ms: 1000 });
  const url = new URL("/events", simulator.url);
  expect(await (await fetch(url)).json()).toEqual(simulator.history());
  expect(await (await fetch(`${url}?after=2`)).json()).toEqual(simulator.history().slice(2));

  const response = await fetch(url, { headers: { accept: "text/event-stream", "last-event-id": "3" } });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const orders: number[] = [];
  await simulator.advance(11_100);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (orders.at(-1) !== 7) {
    text += (await reader?.read())?.value ?? "";
    const told = [...text.matchAll(/^id: (\d+)\ndata: (.*)$/gm)];
    orders.splice(0, orders.length, ...told.map(([, , data]) => JSON.parse(data ?? "").order));
  }
  expect(orders).toEqual([4, 5, 6, 7]);
  await reader?.cancel();
});

test("a reader that knows more events than there are has seen an earlier process, and gets them all", async () => {
  const simulator = await startOne();
  await run(simulator, { x: 1 });
  const events = (after: number) =>
    fetch(new URL(`/events?after=${after}`, simulator.url)).then((response) => response.json());
  const last = simulator.history().length;
  expect(await events(last)).toEqual([]);
  expect(await events(last + 1)).toEqual(simulator.history());
});

test("the page is served, to loopback's names only", async () => {
  const simulator = await start();
  const answer = await fetch(new URL("/", simulator.url));
  expect(answer.headers.get("content-type")).toContain("text/html");
  expect(await answer.text()).toContain("<h1>RunPod twin</h1>");
  const { port } = new URL(simulator.url);
  const code = await new Promise((resolve) =>
    get({ host: "127.0.0.1", port, path: "/state", headers: { host: "evil.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }),
  );
  expect(code).toBe(404);
});
