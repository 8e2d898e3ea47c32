import { expect, test } from "vitest";
import { fail, type Handler } from "../src/index.ts";
import { run, startOne, status, story } from "./helpers.ts";

/** How a job ends whose handler does this. */
const ending = async (handler: Handler) => {
  const simulator = await startOne({ handler });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(12_000);
  const { status: state, output, error } = await status(simulator, id);
  return { state, output, error };
};

test.each([
  ["an object", { a: 1 }, { state: "COMPLETED", output: { a: 1 } }],
  ["a text", "done", { state: "COMPLETED", output: "done" }],
  ["a list", [1, 2], { state: "COMPLETED", output: [1, 2] }],
  ["false", false, { state: "COMPLETED", output: false }],
  ["null", null, { state: "COMPLETED", output: null }],
  ["nothing", undefined, { state: "COMPLETED", output: null }],
  ["an empty object, so no output", {}, { state: "COMPLETED" }],
  ["an error", { error: "bad seed" }, { state: "FAILED", error: "bad seed" }],
  [
    "an error and more, which stays",
    { error: "bad seed", partial: 1 },
    { state: "FAILED", error: "bad seed", output: { partial: 1 } },
  ],
  ["an empty error, which is none", { error: "", a: 1 }, { state: "COMPLETED", output: { a: 1 } }],
  ["keys of a generator", { next: 2, return: 1 }, { state: "COMPLETED", output: { next: 2, return: 1 } }],
  ["an error that is no text", { error: { code: 7 } }, { state: "FAILED", error: '{"code":7}' }],
])("a handler may return %s", async (_, returned, expected) => {
  expect(await ending(() => returned)).toEqual({ output: undefined, error: undefined, ...expected });
});

test("a handler that throws fails the job with a JSON text in a string", async () => {
  const simulator = await startOne({ handler: fail });
  const id = await run(simulator, { message: "no such voice" });
  await simulator.advance(12_000);
  const { status: state, error, workerId, output } = await status(simulator, id);
  expect([state, output]).toEqual(["FAILED", undefined]);
  expect(JSON.parse(error)).toEqual({
    error_type: "<class 'Error'>",
    error_message: "no such voice",
    error_traceback: expect.stringContaining("no such voice"),
    hostname: workerId,
    worker_id: workerId,
    runpod_version: "1.12.0",
  });
});

test.each([
  ["JSON cannot hold", 1n],
  ["is nested too deep", JSON.parse(`${"[".repeat(3000)}${"]".repeat(3000)}`)],
])("a result that %s fails the job", async (_, big) => {
  const { state, error } = await ending(() => ({ big }));
  expect(state).toBe("FAILED");
  expect(JSON.parse(error).error_type).toBe("<class 'TypeError'>");
});

test("refresh_worker stops the worker after the job", async () => {
  const simulator = await startOne({ handler: () => ({ refresh_worker: true, a: 1 }) });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(10_100);
  expect(await status(simulator, id)).toMatchObject({ status: "COMPLETED", output: { a: 1 } });
  expect(story(simulator, "worker_stopped")).toEqual(["10100 worker_stopped"]);
});

test("a result over 10 MiB is dropped and the job ends without output", async () => {
  const { state, output } = await ending(() => "x".repeat(10 * 1024 ** 2));
  expect([state, output]).toEqual(["COMPLETED", undefined]);
});

test("an empty input never reaches the handler: re-dispatched once, then failed as lost", async () => {
  let calls = 0;
  const simulator = await startOne({ handler: () => calls++ });
  const id = await run(simulator, {});
  await simulator.advance(10_100);
  expect(await status(simulator, id)).toMatchObject({ status: "IN_PROGRESS", delayTime: 10_100 });
  await simulator.advance(45_000);
  // The worker went cold in the meantime.
  await simulator.advance(10_100);
  expect(await status(simulator, id)).toMatchObject({ status: "IN_PROGRESS", delayTime: 65_200, retries: 1 });
  await simulator.advance(45_000);
  expect(await status(simulator, id)).toEqual({
    delayTime: 65_200,
    error: "job timed out after 1 retries",
    executionTime: 45_000,
    id,
    retries: 1,
    status: "FAILED",
    workerId: expect.any(String),
  });
  expect(calls).toBe(0);
});
