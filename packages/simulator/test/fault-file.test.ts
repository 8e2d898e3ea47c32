import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Fault } from "../src/index.ts";
import { readFaultFile } from "../src/index.ts";

const fileWith = (content: unknown): string => {
  const folder = mkdtempSync(join(tmpdir(), "simulator-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "faults.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
};

test("a file of faults is read as it is written, of every kind", () => {
  const faults: Fault[] = [
    { fault: "webhook_drop", endpoint: "text", chance: 0.1, times: 3, skip: 1 },
    { fault: "webhook_duplicate", afterMs: 500 },
    { fault: "webhook_delay", delayMs: [1000, 60_000], input: { podbase: { task: "audio" } } },
    { fault: "webhook_reorder", afterMs: 5000 },
    { fault: "run_unanswered" },
    { fault: "run_reset" },
    { fault: "reset", operation: "status", applied: true },
    { fault: "answer", status: 429, headers: { "retry-after": "1" }, window: { forMs: 1000, everyMs: 9000 } },
    { fault: "answer", status: 502, body: "Bad Gateway", operation: "run", applied: true },
    { fault: "slow_answer", delayMs: 250 },
    { fault: "job_forget", afterMs: 1 },
    { fault: "job_lose" },
    { fault: "status_regress", afterMs: 100, forMs: 2000 },
    { fault: "other_state", state: "RUNNING", instead: "IN_QUEUE" },
    { fault: "progress_delay", delayMs: 5 },
    { fault: "clock_skew", skewMs: -500 },
    { fault: "worker_throttle", forMs: [1, 2] },
    { fault: "slow_worker", delayMs: 10 },
    { fault: "slow_job", delayMs: 10 },
    { fault: "slow_everything", delayMs: [1, 2] },
    { fault: "worker_crash", afterMs: 10 },
    { fault: "worker_crash_loop" },
  ];
  expect(readFaultFile(fileWith(faults))).toEqual(faults);
});

test.each([
  ["no JSON", "[{", "JSON"],
  ["no list", {}, "the file: "],
  ["an unknown fault", [{ fault: "webhook_drop" }, { fault: "webhook_lose" }], "fault 2 fault: "],
  ["an unknown key", [{ fault: "webhook_drop", change: 1 }], 'fault 1: Unrecognized key: "change"'],
  ["a chance of 2", [{ fault: "webhook_drop", chance: 2 }], "fault 1 chance: "],
  ["no status", [{ fault: "answer" }], "fault 1 status: "],
  ["headers that cannot be", [{ fault: "answer", status: 500, headers: { "a b": "" } }], "fault 1 headers: "],
  ["a range downwards", [{ fault: "slow_answer", delayMs: [5, 1] }], "fault 1 delayMs: "],
])("a file with %s is refused, and the place is named", (_, content, message) => {
  expect(() => readFaultFile(fileWith(content))).toThrow(message);
});

test("a file that is not there is named", () => {
  expect(() => readFaultFile("/no/such/file.json")).toThrow("/no/such/file.json");
});
