import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { type EndpointOptions, fail, sleep } from "../src/index.ts";
import { call, receiver, run, startOne, status, story } from "./helpers.ts";

const webhook = "https://app.example/hook";

const newFile = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "simulator-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "state");
};

/** Starts one process after another on the same file, all with the same seed. */
const boots = (stateFile = newFile()) => ({
  stateFile,
  boot: (endpoint: Partial<EndpointOptions> = {}, post = receiver().post) =>
    startOne({ handler: sleep, ...endpoint }, { stateFile, webhook: { post }, rateLimits: false }),
});

test("a waiting job survives a restart and is done", async () => {
  const { boot } = boots();
  const before = await boot();
  const id = await run(before, { ms: 1000 }, { webhook });
  await before.advance(5000);
  await before.stop();

  const { calls, post } = receiver();
  const after = await boot({}, post);
  expect(await status(after, id)).toEqual({ id, status: "IN_QUEUE" });
  await after.advance(12_000);
  expect(await status(after, id)).toMatchObject({ status: "COMPLETED", output: { slept: 1000 } });
  expect(calls).toMatchObject([{ url: webhook, body: { id, input: { ms: 1000 } } }]);
});

test("a running job goes back to the queue as re-dispatched", async () => {
  const { boot } = boots();
  const before = await boot();
  const id = await run(before, { ms: 60_000 });
  await before.advance(20_000);
  await before.stop();

  const after = await boot();
  expect(await status(after, id)).toEqual({ id, retries: 1, status: "IN_QUEUE" });
  await after.advance(80_000);
  expect(await status(after, id)).toMatchObject({ status: "COMPLETED", retries: 1 });
});

test("a finished job is kept for the rest of its time, and its webhook goes on where it was", async () => {
  const { boot } = boots();
  const before = await boot({}, receiver([500]).post);
  const id = await run(before, { ms: 0 }, { webhook });
  await before.advance(11_000);
  await before.stop();

  const { calls, post } = receiver([500]);
  const after = await boot({}, post);
  expect(await status(after, id)).toMatchObject({ status: "COMPLETED", executionTime: 0, delayTime: 10_100 });
  await after.advance(60_000);
  expect(story(after, "webhook")).toHaveLength(2);
  expect(calls[0]?.body).toMatchObject({ id, status: "COMPLETED" });
  await after.advance(30 * 60_000);
  expect(await call(after, "GET", `status/${id}`)).toMatchObject({ status: 404 });
});

test("a kill right after a job's end was saved loses no webhook", async () => {
  const { boot, stateFile } = boots();
  const before = await boot();
  const id = await run(before, { ms: 0 }, { webhook });
  await before.advance(11_000);
  await before.stop();
  const lines = readFileSync(stateFile, "utf8").split("\n");
  const end = lines.findIndex((line) => line.includes('"COMPLETED"'));
  writeFileSync(
    stateFile,
    lines
      .slice(0, end + 1)
      .map((line) => `${line}\n`)
      .join(""),
  );

  const { calls, post } = receiver();
  const after = await boot({}, post);
  await after.advance(1000);
  expect(calls).toMatchObject([{ url: webhook, body: { id, status: "COMPLETED", input: { ms: 0 } } }]);
});

test("a job that was queued again comes back behind those it stood behind, one that was running behind all", async () => {
  const { boot } = boots();
  const before = await boot({ handler: fail });
  const again = await run(before, { ms: 0 });
  await before.advance(11_000);
  const running = await run(before, { ms: 600_000 });
  const waiting = await run(before, { ms: 1 });
  await call(before, "POST", `retry/${again}`);
  expect(before.endpoints()[0]?.queue).toEqual([running, waiting, again]);
  await before.stop();

  const paused = await boot({ workersMax: 0 });
  expect(paused.endpoints()[0]?.queue).toEqual([running, waiting, again]);
  await paused.stop();
  const busy = await boot();
  await busy.advance(10_100);
  expect(busy.endpoints()[0]?.queue).toEqual([waiting, again]);
  await busy.stop();
  expect((await boot({ workersMax: 0 })).endpoints()[0]?.queue).toEqual([waiting, again, running]);
});

test("a webhook that is due for an end before a retry survives with what that end was", async () => {
  const { boot } = boots();
  const before = await boot({ handler: fail }, receiver([500]).post);
  const id = await run(before, { message: "first" }, { webhook });
  await before.advance(11_000);
  await call(before, "POST", `retry/${id}`);
  await before.stop();

  const { calls, post } = receiver([500]);
  const after = await boot({ handler: fail }, post);
  await after.advance(4200);
  expect(calls).toMatchObject([{ body: { id, executionTime: 0, delayTime: 10_100, status: "FAILED" } }]);
  expect(calls[0]?.body).toMatchObject({ input: { message: "first" }, webhook });
  expect(calls[0]?.body.error).toContain("first");
  await after.stop();

  const last = receiver();
  const final = await boot({}, last.post);
  await final.advance(60_000);
  // The third attempt for the first end is due 15 s after the second; a cold worker needs 10 s.
  expect(last.calls).toMatchObject([{ body: { status: "COMPLETED" } }, { body: { status: "FAILED" } }]);
});

test("what was removed stays removed, and no id is given out twice", async () => {
  const { boot } = boots();
  const before = await boot({ workersMax: 0 });
  const ids = [await run(before, { ms: 1 }), await run(before, { ms: 2 })];
  await call(before, "POST", "purge-queue");
  ids.push(await run(before, { ms: 3 }));
  await before.stop();

  const after = await boot({ workersMax: 0 });
  expect(after.endpoints()[0]?.queue).toEqual([ids[2]]);
  ids.push(await run(after, { ms: 4 }));
  await after.stop();
  expect((await boot({ workersMax: 0 })).endpoints()[0]?.queue).toEqual(ids.slice(2));
  expect(new Set(ids).size).toBe(4);
});

test("jobs of an endpoint that is no longer there are dropped", async () => {
  const { boot, stateFile } = boots();
  const before = await boot();
  const id = await run(before, { ms: 1 });
  await before.stop();
  const other = await startOne({}, { stateFile, endpoints: { other: { handler: sleep } } });
  expect(other.history()).toMatchObject([
    { type: "removed", endpoint: "ep", job: id, reason: "unknown_endpoint" },
  ]);
});

test("a line that was cut off by a kill is ignored", async () => {
  const { boot, stateFile } = boots();
  const before = await boot();
  const id = await run(before, { ms: 1 });
  await before.stop();
  appendFileSync(stateFile, `{"at":5,"job":{"id":"half`);
  expect((await boot()).endpoints()[0]?.queue).toEqual([id]);
});

test.each(["my thesis\n", "my thesis", `{"not":"ours"}`, "null\n", `[{"fault":"webhook_drop"}]\n`])(
  "a file that holds something else (%j) is not overwritten",
  async (text) => {
    const { boot, stateFile } = boots();
    writeFileSync(stateFile, text);
    await expect(boot()).rejects.toThrow(`${stateFile}: not a simulator's state file`);
    expect(readFileSync(stateFile, "utf8")).toBe(text);
  },
);

test.each(["half a li", "null", "7", '{"at":1,"job":null}'])("a damaged line (%s) is named", async (line) => {
  const { boot, stateFile } = boots();
  await (await boot()).stop();
  appendFileSync(stateFile, `${line}\n{"removed":"x"}\n`);
  const text = readFileSync(stateFile, "utf8");
  await expect(boot()).rejects.toThrow(`${stateFile}: line 2 is damaged`);
  expect(readFileSync(stateFile, "utf8")).toBe(text);
});

test("a second simulator that finds the port taken leaves the first one's file alone", async () => {
  const stateFile = newFile();
  const first = await startOne({}, { stateFile });
  const port = Number(new URL(first.url).port);
  await expect(startOne({}, { stateFile, port })).rejects.toThrow("EADDRINUSE");
  const id = await run(first, { x: 1 });
  expect(readFileSync(stateFile, "utf8")).toContain(id);
});

test("a journal that outgrows its limit is rewritten with what is still known", async () => {
  const { boot, stateFile } = boots();
  const before = await boot({ workersMax: 0 });
  const big = "x".repeat(5 * 1024 ** 2);
  for (let n = 0; n < 5; n++) {
    await run(before, { big });
    await call(before, "POST", "purge-queue");
  }
  const id = await run(before, { ms: 1 });
  await before.stop();
  expect(readFileSync(stateFile).byteLength).toBeLessThan(16 * 1024 ** 2);
  expect((await boot()).endpoints()[0]?.queue).toEqual([id]);
});

/** Starts the simulator as a process, by a command line of its own, and asks it things. */
const processes = (stateFile: string) => {
  const main = new URL("./main.ts", import.meta.url).pathname;
  const children: ChildProcess[] = [];
  onTestFinished(() => {
    for (const child of children) child.kill("SIGKILL");
  });
  return async (endpoint: string, { limit = "", coldStart = "0" } = {}) => {
    const options = ["--api-key", "k", "--endpoint", endpoint, "--cold-start", coldStart];
    const line = [process.execPath, "--import", "tsx", main, ...options, "--state-file", stateFile];
    // In blocks of 512 bytes: no file may grow beyond.
    const child = spawn("/bin/sh", ["-c", `${limit && `ulimit -f ${limit} &&`} exec "$@"`, "sh", ...line], {
      stdio: ["ignore", "pipe", "inherit"],
      // What it keeps of compiled files would be cut off too.
      env: { ...process.env, ...(limit && { TSX_DISABLE_CACHE: "1" }) },
    });
    children.push(child);
    for await (const told of createInterface({ input: child.stdout })) {
      const { url } = JSON.parse(told);
      return {
        ask: (path: string, init: RequestInit = {}) =>
          fetch(`${url}/ep/${path}`, { ...init, headers: { authorization: "k" } }),
        kill: () => {
          const killed = new Promise((resolve) => child.once("exit", resolve));
          child.kill("SIGKILL");
          return killed;
        },
      };
    }
    throw new Error("the simulator ended");
  };
};

test("a job outlives a simulator process that is killed with SIGKILL", async () => {
  const boot = processes(newFile());
  const before = await boot("ep=sleep");
  const { id } = await (await before.ask("run", { method: "POST", body: `{"input":{"ms":600000}}` })).json();
  await before.kill();

  const after = await boot("ep=echo");
  await expect
    .poll(async () => (await after.ask(`status/${id}`)).json(), { timeout: 10_000 })
    .toMatchObject({
      status: "COMPLETED",
      output: { echo: { ms: 600000 } },
    });
}, 30_000);

test("on a full disk no job is lost that a caller was told of", async () => {
  const boot = processes(newFile());
  const before = await boot("ep=echo", { limit: "40", coldStart: "600000" });
  const ids: string[] = [];
  const body = JSON.stringify({ input: { text: "x".repeat(3000) } });
  for (;;) {
    const answer = await before.ask("run", { method: "POST", body });
    if (answer.status !== 200) break;
    ids.push((await answer.json()).id);
  }
  expect(ids.length).toBeGreaterThan(1);
  await before.kill();

  const after = await boot("ep=echo", { coldStart: "600000" });
  for (const id of ids) expect((await after.ask(`status/${id}`)).status).toBe(200);
}, 30_000);
