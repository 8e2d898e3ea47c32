import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { type CommandOptions, command, realClock, type SimulatorEvent } from "../src/index.ts";
import { call, run, startOne, status } from "./helpers.ts";

/** A Node program as a worker. */
const worker = (source: string, options?: CommandOptions) => {
  const folder = mkdtempSync(join(tmpdir(), "simulator-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "worker.mjs");
  writeFileSync(
    file,
    `import { readFileSync } from "node:fs";
     const readJob = () => JSON.parse(readFileSync(0, "utf8"));
     ${source}`,
  );
  return command([process.execPath, file], options);
};

/** What a job comes to on such a worker. */
const outcome = async (source: string, input: unknown = { x: 1 }, options?: CommandOptions) => {
  const simulator = await startOne({ handler: worker(source, options) });
  const id = await run(simulator, input);
  await simulator.advance(11_000);
  const { status: state, output, error } = await status(simulator, id);
  const message = error?.startsWith("{") ? JSON.parse(error).error_message : error;
  const logs = simulator.history().filter((event) => event.type === "log");
  return { state, output, message, logs: logs.map(({ stream, line }) => `${stream}: ${line}`) };
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** An ended orphan still has its pid until the system's first process collects it, which may take its time. */
const allGone = (pids: number[]) =>
  vi.waitFor(() => expect(pids.map(isAlive)).toEqual(pids.map(() => false)), { timeout: 20_000 });

const isLog = (event: SimulatorEvent) => event.type === "log";

test("a command reads its job from stdin and its last line of stdout is the result", async () => {
  const { state, output, logs } = await outcome(`
    console.log("loading the model");
    console.error("a warning");
    console.log(JSON.stringify({ got: readJob().input }));
  `);
  expect({ state, output }).toEqual({ state: "COMPLETED", output: { got: { x: 1 } } });
  expect(logs.sort()).toEqual(["stderr: a warning", "stdout: loading the model"]);
});

test("a command's result is read by the same rules as a function's", async () => {
  expect(await outcome(`console.log('{"error":"bad voice","partial":1}')`)).toMatchObject({
    state: "FAILED",
    output: { partial: 1 },
    message: "bad voice",
  });
});

test("a line with nothing but progress is progress", async () => {
  const simulator = await startOne({
    handler: worker(`
      console.log('{"progress":0.25}');
      console.log('{"progress":{"at":0.5}}');
      console.log('{"progress":1,"done":true}');
    `),
  });
  const outputs: unknown[] = [];
  const id = await run(simulator, { x: 1 });
  simulator.subscribe((event) => {
    if (event.type === "progress") status(simulator, id).then(({ output }) => outputs.push(output));
  });
  await simulator.advance(11_000);
  expect(outputs).toHaveLength(2);
  expect(await status(simulator, id)).toMatchObject({
    status: "COMPLETED",
    output: { progress: 1, done: true },
  });
});

test("a command that crashes fails the job with its exit code and the tail of stderr", async () => {
  const { state, message } = await outcome(`
    console.log('{"fine":true}');
    console.error("CUDA out of memory");
    process.exit(3);
  `);
  expect(state).toBe("FAILED");
  expect(message).toBe("the worker ended with exit code 3\nCUDA out of memory\n");
});

test("a command that is killed fails the job with the signal", async () => {
  const { message } = await outcome(`process.kill(process.pid, "SIGKILL")`);
  expect(message).toBe("the worker ended with signal SIGKILL");
});

test("a command that writes garbage fails the job and the garbage is shown", async () => {
  expect((await outcome(`console.log('{"text": "half a')`)).message).toBe(
    `the worker wrote no JSON result, but the last line ${JSON.stringify('{"text": "half a')}`,
  );
  expect((await outcome("readJob()")).message).toBe("the worker wrote no JSON result, but no line at all");
});

test("a command that cannot be started fails the job", async () => {
  const simulator = await startOne({ handler: command(["/no/such/program"]) });
  const id = await run(simulator, { x: 1 });
  await simulator.advance(11_000);
  const { status: state, error } = await status(simulator, id);
  expect(state).toBe("FAILED");
  expect(JSON.parse(error).error_message).toContain("ENOENT");
});

test("a command that does not read a large job still counts by its result", async () => {
  expect(await outcome("console.log(7)", { text: "x".repeat(1_000_000) })).toMatchObject({
    state: "COMPLETED",
    output: 7,
  });
});

test("a command sees a minimal environment and what it was given, not ours", async () => {
  process.env.SIMULATOR_TEST_SECRET = "leak";
  onTestFinished(() => void delete process.env.SIMULATOR_TEST_SECRET);
  const { output } = await outcome(
    "console.log(JSON.stringify(Object.keys(process.env).sort()))",
    undefined,
    {
      env: { VOICE: "alto" },
    },
  );
  expect(output).toEqual(["LANG", "PATH", "RUNPOD_ENDPOINT_ID", "RUNPOD_POD_ID", "VOICE"]);
});

test.each(["exit 3", "kill -9 $$", "echo 1"])(
  "a command that doesn't read its job (%s) gives the same history each time",
  async (line) => {
    const histories = [];
    for (let round = 0; round < 2; round++) {
      const simulator = await startOne({ handler: command(["/bin/sh", "-c", line]) });
      for (let n = 0; n < 8; n++) {
        await run(simulator, { n, large: "x".repeat(n * 20_000) });
        await simulator.advance(11_000);
      }
      histories.push(simulator.history());
    }
    expect(histories[0]).toEqual(histories[1]);
  },
);

test("a command's result is not kept waiting by what it leaves running, which is killed", async () => {
  const { state, output, logs } = await outcome(`
    import { spawn } from "node:child_process";
    const left = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
    console.log(left.pid);
    console.log("[42]");
    process.exit();
  `);
  expect({ state, output }).toEqual({ state: "COMPLETED", output: [42] });
  await allGone([Number(logs[0]?.replace("stdout: ", ""))]);
});

test("a command runs in the folder it was given", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "simulator-cwd-"));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const { output } = await outcome("console.log(JSON.stringify(process.cwd()))", undefined, { cwd });
  expect(output).toContain("simulator-cwd-");
});

/** Ignores SIGTERM and has a child, and tells both process ids. */
const TENACIOUS = `
  import { spawn } from "node:child_process";
  process.on("SIGTERM", () => {});
  const child = spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"]);
  console.log(JSON.stringify([process.pid, child.pid]));
  console.log("working");
  setInterval(() => {}, 1000);
`;

const startTenacious = async () => {
  const simulator = await startOne(
    { handler: worker(TENACIOUS), coldStartMs: 0, pickupMs: 0, idleTimeoutMs: 0 },
    { clock: realClock() },
  );
  const id = await run(simulator, { x: 1 });
  const event = await simulator.until(isLog);
  const pids: number[] = event.type === "log" ? JSON.parse(event.line) : [];
  expect(pids.map(isAlive)).toEqual([true, true]);
  return { simulator, id, pids };
};

test("cancelling a job kills its command and what it started", async () => {
  const { simulator, id, pids } = await startTenacious();
  const free = new Promise<void>((resolve) => {
    simulator.subscribe((event) => event.type === "worker_stopped" && resolve());
  });
  await call(simulator, "POST", `cancel/${id}`);
  // Its worker is free, idles and stops only once the command is gone.
  await free;
  await allGone(pids);
  expect(await status(simulator, id)).toMatchObject({ status: "CANCELLED" });
});

test("stopping the simulator kills all commands and what they started", async () => {
  const { simulator, pids } = await startTenacious();
  await simulator.stop();
  await allGone(pids);
});
