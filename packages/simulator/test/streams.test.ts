import { expect, test } from "vitest";
import { type Handler, stream } from "../src/index.ts";
import { call, run, startOne, status, story } from "./helpers.ts";

test("stream hands out what the handler yielded, each chunk once, and ends with the job's state", async () => {
  const simulator = await startOne({ handler: stream });
  const id = await run(simulator, { chunks: 3, ms: 1000 });
  await simulator.advance(12_200);
  const first = await call(simulator, "GET", `stream/${id}`);
  expect(first.body).toEqual({
    status: "IN_PROGRESS",
    stream: [{ output: { chunk: 1 } }, { output: { chunk: 2 } }],
  });
  await simulator.advance(1000);
  const last = await call(simulator, "POST", `stream/${id}`);
  expect(last.body).toEqual({ status: "COMPLETED", stream: [{ output: { chunk: 3 } }] });
  expect((await call(simulator, "GET", `stream/${id}`)).body).toEqual({ status: "COMPLETED", stream: [] });
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED", output: [] });
});

test("stream waits for the next chunk, by default for 10 seconds", async () => {
  const simulator = await startOne({ handler: stream });
  const id = await run(simulator, { chunks: 1, ms: 30_000 });
  await simulator.advance(10_100);
  const ask = async (path: string) => (await call(simulator, "GET", path)).body;
  const asked = [ask(`stream/${id}`), ask(`stream/${id}?wait=2000`), ask(`stream/${id}?wait=60000`)];
  await simulator.advance(30_000);
  expect(await Promise.all(asked)).toEqual([
    { status: "IN_PROGRESS", stream: [] },
    { status: "IN_PROGRESS", stream: [] },
    { status: "IN_PROGRESS", stream: [{ output: { chunk: 1 } }] },
  ]);
  const answered = story(simulator, "answered").slice(1);
  expect(answered).toEqual(["12100 answered 200", "20100 answered 200", "40100 answered 200"]);
});

test("stream of a job that yields nothing waits for its end", async () => {
  const simulator = await startOne();
  const id = await run(simulator, { x: 1 });
  const answer = call(simulator, "GET", `stream/${id}?wait=60000`);
  await simulator.advance(10_100);
  expect((await answer).body).toEqual({ status: "COMPLETED", stream: [] });
});

test("an aggregating endpoint has the chunks in its output too", async () => {
  const simulator = await startOne({ handler: stream, returnAggregateStream: true });
  const id = await run(simulator, { chunks: 2, ms: 1 });
  await simulator.advance(11_000);
  expect(await status(simulator, id)).toMatchObject({ output: [{ chunk: 1 }, { chunk: 2 }] });
});

test.each<[string, Handler, object]>([
  [
    "throws",
    function* () {
      yield 1;
      throw new Error("broken");
    },
    { status: "FAILED", error: expect.stringMatching(/^handler: broken \ntraceback: /) },
  ],
  [
    "yields an error",
    async function* () {
      yield 1;
      yield { error: { code: 7 } };
      yield 2;
    },
    { status: "FAILED", error: '{"code":7}' },
  ],
])("a generator that %s fails the job, and its chunks stay", async (_, handler, expected) => {
  const simulator = await startOne({ handler });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(11_000);
  expect(await status(simulator, id)).toMatchObject(expected);
  const { body } = await call(simulator, "GET", `stream/${id}`);
  expect(body).toEqual({ status: "FAILED", stream: [{ output: 1 }] });
});

test("a chunk over 1 MiB is dropped", async () => {
  const simulator = await startOne({
    handler: function* () {
      yield "x".repeat(1024 ** 2);
      yield "small";
    },
  });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(11_000);
  const { body } = await call(simulator, "GET", `stream/${id}`);
  expect(body.stream).toEqual([{ output: "small" }]);
  expect(story(simulator, "chunk", "chunk_dropped")).toEqual(["10100 chunk_dropped", "10100 chunk"]);
});

test("a cancelled generator stops, and its stream ends", async () => {
  const simulator = await startOne({ handler: stream });
  const id = await run(simulator, { chunks: 100, ms: 1000 });
  await simulator.advance(11_100);
  await call(simulator, "GET", `stream/${id}`);
  const waiting = call(simulator, "GET", `stream/${id}`);
  await call(simulator, "POST", `cancel/${id}`);
  expect((await waiting).body).toEqual({ status: "CANCELLED", stream: [] });
  await simulator.advance(60_000);
  expect(story(simulator, "chunk")).toHaveLength(1);
});

test("a caller that hangs up takes no chunk with it", async () => {
  const simulator = await startOne({ handler: stream });
  const id = await run(simulator, { chunks: 1, ms: 1000 });
  await simulator.advance(10_100);
  const abort = new AbortController();
  const gone = expect(
    simulator.fetch(`${simulator.url}/ep/stream/${id}`, {
      headers: { authorization: "test-key" },
      signal: abort.signal,
    }),
  ).rejects.toThrow("aborted");
  abort.abort();
  await gone;
  await simulator.advance(1000);
  expect((await call(simulator, "GET", `stream/${id}`)).body.stream).toEqual([{ output: { chunk: 1 } }]);
});
