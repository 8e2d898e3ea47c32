import { spawn } from "node:child_process";
import { once } from "node:events";
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

test.each([
  [["--endpoint", "a=echo"], "--api-key"],
  [["--api-key", "k"], "--endpoint"],
  [
    ["--api-key", "k", "--endpoint", "a=nothing"],
    '"nothing" is neither echo, sleep, fail, progress, stream, worker nor cmd:COMMAND',
  ],
  [["--api-key", "k", "--endpoint", "a"], "Not NAME=HANDLER"],
  [["--api-key", "k", "--endpoint", "a=echo", "--endpoint", "a=fail"], '"a" is there twice'],
  [["--api-key", "k", "--endpoint", "a=echo", "--port", "no"], "Not a port"],
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
