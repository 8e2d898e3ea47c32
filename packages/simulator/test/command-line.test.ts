import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { simulatorCommand } from "../src/command.ts";

const main = new URL("./main.ts", import.meta.url).pathname;

const simulator = (...args: string[]) => {
  const child = spawn(process.execPath, ["--import", "tsx", main, ...args], { stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, "close").then(([code]) => ({ code, errors }));
  return { child, ended, line: async (): Promise<string> => (await lines.next()).value };
};

test.each(["SIGINT", "SIGTERM"] as const)(
  "it tells its url as JSON, serves, and ends cleanly on %s",
  async (signal) => {
    const { child, ended, line } = simulator(
      ...["--api-key", "k", "--port", "0", "--cold-start", "0-5", "--speed", "100", "--seed", "7"],
      ...["--endpoint", "words=echo", "--endpoint", `made=cmd:read -r job; echo "[$job, 42]"`],
      ...["--endpoint", "own=worker"],
    );
    const { url, workers } = JSON.parse(await line());
    expect(workers.own).toMatchObject({
      RUNPOD_POD_ID: "own-worker",
      RUNPOD_WEBHOOK_GET_JOB: `${url}/own/job-take/$ID?gpu=NVIDIA+A40`,
    });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v2$/);
    const answers = await Promise.all(
      ["words", "made"].map(async (endpoint) => {
        const response = await fetch(`${url}/${endpoint}/runsync?wait=300000`, {
          method: "POST",
          headers: { authorization: "Bearer k" },
          body: `{"input":{"x":1}}`,
        });
        return response.json();
      }),
    );
    expect(answers).toMatchObject([
      { status: "COMPLETED", output: { echo: { x: 1 } } },
      { status: "COMPLETED", output: [{ id: answers[1].id, input: { x: 1 } }, 42] },
    ]);
    child.kill(signal);
    expect(await ended).toEqual({ code: 0, errors: "" });
  },
  30_000,
);

test("it names a port that is taken, and ends", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const { ended } = simulator("--api-key", "k", "--endpoint", "a=echo", "--port", String(port));
  expect(await ended).toEqual({ code: 1, errors: `error: port ${port} is taken\n` });
}, 30_000);

test("it ends when the shell is gone through which npx runs it", async () => {
  // What npx does: a shell that waits for the program, and dies alone.
  const line = `node --import tsx ${main} --api-key k --endpoint a=echo; :`;
  const shell = spawn("/bin/sh", ["-c", line], {
    stdio: "pipe",
    env: { ...process.env, npm_lifecycle_event: "npx" },
  });
  onTestFinished(() => void shell.kill("SIGKILL"));
  const output = createInterface({ input: shell.stdout });
  const closed = once(output, "close");
  const [ready] = await once(output, "line");
  shell.kill("SIGTERM");
  // Whoever holds the other end of the pipe is gone: the program too.
  await closed;
  await expect(fetch(JSON.parse(ready).url)).rejects.toThrow("fetch failed");
}, 30_000);

test.each([
  [["--endpoint", "a=echo"], "--api-key"],
  [["--endpoint", "a=echo", "--api-key", ""], "--api-key"],
  [["--api-key", "k", "--endpoint", "a=cmd: "], '"cmd: " is neither'],
  [["--api-key", "k"], "--endpoint"],
  [
    ["--api-key", "k", "--endpoint", "a=nothing"],
    '"nothing" is neither echo, sleep, fail, progress, stream, worker nor cmd:COMMAND',
  ],
  [["--api-key", "k", "--endpoint", "a"], "Not NAME=HANDLER"],
  [["--api-key", "k", "--endpoint", "a=echo", "--endpoint", "a=fail"], '"a" is there twice'],
  [["--api-key", "k", "--endpoint", "a=echo", "--port", "no"], "Not a port"],
  [["--api-key", "k", "--endpoint", "a=echo", "--port", ""], "Not a port"],
  [["--api-key", "k", "--endpoint", "a=echo", "--state-file", ""], "--state-file"],
  [["--api-key", "k", "--endpoint", "a=echo", "--speed", "0"], "Not a number above 0"],
  [["--api-key", "k", "--endpoint", "a=echo", "--cold-start", "9-2"], "A range goes upwards"],
  [["--api-key", "k", "--endpoint", "a=echo", "--faults", "/no/file"], "/no/file"],
  [["--api-key", "k", "--endpoint", "a=echo", "--throttle"], "unknown option"],
])("it refuses %j", async (args, message) => {
  let errors = "";
  const command = simulatorCommand()
    .exitOverride()
    .configureOutput({
      writeErr: (text) => {
        errors += text;
      },
    });
  await expect(command.parseAsync(args, { from: "user" })).rejects.toMatchObject({ exitCode: 1 });
  expect(errors).toContain(message);
});
