import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { type EndpointOptions, realClock, type Simulator } from "../src/index.ts";
import { call, run, startOne, status } from "./helpers.ts";

const script = (name: string) => new URL(`./fixtures/${name}`, import.meta.url).pathname;
const ask = (...args: string[]) => {
  const { status, stdout } = spawnSync("python3", args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
};
const python = ask("--version");
const library = ask("-c", "import runpod; print(runpod.__version__)");
console.info(
  python
    ? `The worker loop in ${python} runs.`
    : "There is no python3: only Node speaks the worker protocol (worker-protocol).",
);
console.info(library ? `RunPod's own library ${library} runs.` : "RunPod's own library is not installed.");

const start = (endpoint: Partial<EndpointOptions> = {}): Promise<Simulator> =>
  startOne({ handler: "worker", workerPollMs: 500, ...endpoint }, { clock: realClock() });

const killGroup = ({ pid, exitCode, signalCode }: ChildProcess): void => {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
};

/** A worker process that knows nothing but these environment variables. */
const startWorker = (
  simulator: Simulator,
  id: string,
  { program = "worker_loop.py", env = { RUNPOD_PING_INTERVAL: "100" } as Record<string, string> } = {},
) => {
  const { PATH = "", PYTHONPATH = "" } = process.env;
  const child: ChildProcess = spawn("python3", [script(program)], {
    stdio: ["ignore", "pipe", program === "worker_loop.py" ? "inherit" : "ignore"],
    // A group of its own: the library pings from a second process.
    detached: true,
    env: { PATH, PYTHONPATH, ...simulator.workerEnvironment("ep", id), ...env },
  });
  const lines: string[] = [];
  if (child.stdout) createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  onTestFinished(() => killGroup(child));
  const said = (line: string) => expect.poll(() => lines, { timeout: 10_000 }).toContain(line);
  return { child, said };
};

const ended = async (simulator: Simulator, job: string) => {
  await simulator.until((event) => event.type === "finished" && event.job === job);
  return status(simulator, job);
};

/** Its worker does one job and fails at another, and says so. */
const doesAndFails = async (simulator: Simulator) => {
  const plain = await run(simulator, { text: "größer" });
  expect(await ended(simulator, plain)).toMatchObject({
    status: "COMPLETED",
    output: { did: { text: "größer" } },
    workerId: "worker-1",
  });

  const failing = await run(simulator, { fail: "no such voice" });
  const { error } = await ended(simulator, failing);
  expect(JSON.parse(error)).toMatchObject({ error_message: "no such voice", worker_id: "worker-1" });
};

test.runIf(python)("a Python worker takes jobs, reports, streams, tells of progress and fails", async () => {
  const simulator = await start();
  startWorker(simulator, "worker-1");
  await doesAndFails(simulator);

  const streaming = await run(simulator, { chunks: 3 });
  await ended(simulator, streaming);
  expect((await call(simulator, "GET", `stream/${streaming}`)).body).toEqual({
    status: "COMPLETED",
    stream: [0, 1, 2].map((chunk) => ({ output: { chunk } })),
  });

  const waiting = await run(simulator, { steps: 3, wait_for_stop: true });
  await expect
    .poll(() => status(simulator, waiting), { timeout: 10_000 })
    .toMatchObject({ status: "IN_PROGRESS", output: { step: 2 } });
});

test.runIf(python)(
  "a Python worker is told to stop a cancelled job, reports nothing and goes on",
  async () => {
    const simulator = await start();
    const worker = startWorker(simulator, "worker-1");
    const id = await run(simulator, { steps: 1, wait_for_stop: true });
    // A stop that comes before the job itself finds nothing to stop.
    await simulator.until((event) => event.type === "progress");
    await call(simulator, "POST", `cancel/${id}`);
    await worker.said(`stopped ${id}`);
    expect(await status(simulator, id)).toMatchObject({ status: "CANCELLED" });
    const next = await run(simulator, { text: "next" });
    expect(await ended(simulator, next)).toMatchObject({ status: "COMPLETED" });
    expect(simulator.history().map(({ type }) => type)).not.toContain("late_report");
  },
);

test.runIf(python)(
  "pings keep a blocked job alive; a killed worker's job is re-dispatched to another",
  async () => {
    const simulator = await start({ lossMs: 2500, workerPollMs: 100 });
    const first = startWorker(simulator, "worker-1");
    const blocked = await run(simulator, { block_seconds: 4 });
    expect(await ended(simulator, blocked)).toMatchObject({ status: "COMPLETED", workerId: "worker-1" });
    expect(await status(simulator, blocked)).not.toHaveProperty("retries");

    const lost = await run(simulator, { block_seconds: 0.3 });
    await simulator.until((event) => event.type === "started" && event.job === lost);
    first.child.kill("SIGKILL");
    startWorker(simulator, "worker-2");
    expect(await ended(simulator, lost)).toMatchObject({
      status: "COMPLETED",
      retries: 1,
      workerId: "worker-2",
    });
  },
);

/** The library takes whole seconds, and not less than one. */
const SDK = { program: "sdk_worker.py", env: { RUNPOD_PING_INTERVAL: "1000" } };

test.runIf(library)(
  "a worker of RunPod's own library takes jobs, reports, fails, tells of progress and is stopped",
  async () => {
    const simulator = await start();
    startWorker(simulator, "worker-1", SDK);
    await doesAndFails(simulator);

    const waiting = await run(simulator, { steps: 2, wait_for_stop: true });
    await expect
      .poll(() => status(simulator, waiting), { timeout: 20_000 })
      .toMatchObject({ status: "IN_PROGRESS", output: { step: 1 } });
    await call(simulator, "POST", `cancel/${waiting}`);
    const next = await run(simulator, { text: "next" });
    expect(await ended(simulator, next)).toMatchObject({ status: "COMPLETED" });
    expect(simulator.history().map(({ type }) => type)).not.toContain("late_report");
  },
  60_000,
);

test.runIf(library)(
  "the pings of RunPod's own library keep a blocked job alive",
  async () => {
    const simulator = await start({ lossMs: 4000, workerPollMs: 100 });
    startWorker(simulator, "worker-1", SDK);
    const blocked = await run(simulator, { block_seconds: 6 });
    expect(await ended(simulator, blocked)).toMatchObject({ status: "COMPLETED" });
    expect(await status(simulator, blocked)).not.toHaveProperty("retries");
  },
  60_000,
);

test.runIf(library)(
  "a generator of RunPod's own library streams",
  async () => {
    const simulator = await start();
    startWorker(simulator, "worker-1", { ...SDK, env: { ...SDK.env, STREAMS: "1" } });
    const id = await run(simulator, { chunks: 3 });
    expect(await ended(simulator, id)).toMatchObject({ status: "COMPLETED", output: [] });
    expect((await call(simulator, "GET", `stream/${id}`)).body).toEqual({
      status: "COMPLETED",
      stream: [0, 1, 2].map((chunk) => ({ output: { chunk } })),
    });
  },
  60_000,
);
