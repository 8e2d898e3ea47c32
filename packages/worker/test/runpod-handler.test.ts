import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const HANDLER = fileURLToPath(new URL("../runpod/handler.py", import.meta.url));
const python = spawnSync("python3", ["--version"]).status === 0;

/** Runs the handler on `job` under a `runpod` package that calls it once and prints what it returns. */
function handle(route: string, job: unknown) {
  const folder = mkdtempSync(join(tmpdir(), "podbase-handler-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "runpod"));
  writeFileSync(join(folder, "runpod/__init__.py"), "from . import serverless\n");
  writeFileSync(
    join(folder, "runpod/serverless.py"),
    'import json, os\ndef start(config):\n    print(json.dumps(config["handler"](json.loads(os.environ["JOB"]))))\n',
  );
  const env = {
    PATH: process.env.PATH,
    PYTHONPATH: folder,
    PYTHONDONTWRITEBYTECODE: "1",
    ROUTE: route,
    JOB: JSON.stringify(job),
  };
  const { stdout, stderr } = spawnSync("python3", [HANDLER], { cwd: ROOT, env, encoding: "utf8" });
  expect(stdout, stderr).not.toBe("");
  return JSON.parse(stdout);
}

it.runIf(python)(
  "hands a job to the Node program and its result back to RunPod",
  () => {
    const input = { markdown: "# A reading", podbase: "not what Podbase sends" };
    expect(handle("pdf", { id: "j-1", input, batchId: "RunPod adds things" })).toEqual({
      error: expect.stringContaining("input.podbase"),
    });
  },
  60_000,
);

it.runIf(python)(
  "fails the job when the program does, and tells nobody outside why",
  () => {
    expect(handle("no such route", { id: "j-1", input: {} })).toEqual({
      error: "the worker broke down; its log says why",
    });
  },
  60_000,
);
