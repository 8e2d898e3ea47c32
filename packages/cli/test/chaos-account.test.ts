import { describe, expect, it } from "vitest";
import { accountOf } from "../src/chaos/account.ts";
import { isHeld } from "../src/chaos/certificate.ts";
import { Ledger } from "../src/chaos/ledger.ts";
import type { Requested } from "../src/chaos/requests.ts";
import type { Rows } from "../src/chaos/rows.ts";

const REQUEST: Requested = { key: "k1", user: "u1", kind: "dear", n: 1, job: "j1" };

const EVENT = { job: "j1", cause: "completed", at: 2100 };

/** One job that went well: requested, worked on once, saved at once. */
function fineRun(policy: Rows["tasks"][number]["policy"] = "at_least_once") {
  const ledger = new Ledger();
  const event = { order: 1, at: 1, endpoint: "gpu", job: "rp1" } as const;
  ledger.note({ ...event, type: "queued" });
  ledger.executions.push({
    runpodJob: "rp1",
    job: "j1",
    task: "film",
    attempt: "a1",
    startedAt: 1000,
    doneAt: 2000,
  });
  ledger.note({ ...event, type: "finished", state: "COMPLETED" });
  const finishedAt = Date.now() + 100;
  const rows: Rows = {
    jobs: [{ id: "j1", key: "k1", status: "completed", version: 2, finishedAt, error: null }],
    tasks: [{ id: "t1", job: "j1", name: "film", status: "completed", by: "a1", policy, declared: 1 }],
    attempts: [
      {
        id: "a1",
        job: "j1",
        task: "film",
        number: 1,
        state: "completed",
        class: null,
        runpodJob: "rp1",
        claimedAt: 400,
        finishedAt,
      },
    ],
    artifacts: [{ job: "j1", task: "film", path: "u1/j1/film/a1/file" }],
    events: [
      { ...EVENT, version: 1, jobStatus: "queued", task: null, taskStatus: null, taskPhase: null },
      {
        ...EVENT,
        version: 2,
        jobStatus: "completed",
        task: "film",
        taskStatus: "completed",
        taskPhase: "done",
      },
    ],
  };
  return { requests: [{ ...REQUEST }], ledger, rows };
}

type Run = ReturnType<typeof fineRun>;
const judge = ({ requests, ledger, rows }: Run) => accountOf(requests, ledger, rows);

/** The work was done before by another attempt, which ended so. */
function doneBefore(run: Run, state: string, failure: string | null, finishedAt: number | null = 900): Run {
  run.rows.attempts[0]!.number = 2;
  run.rows.attempts.unshift({
    ...run.rows.attempts[0]!,
    id: "a0",
    number: 1,
    state,
    class: failure,
    runpodJob: "rp0",
    finishedAt,
  });
  run.ledger.executions.unshift({ runpodJob: "rp0", job: "j1", task: "film", attempt: "a0", startedAt: 500 });
  return run;
}

describe("the account of a chaos run", () => {
  it("holds when all is well, and tells how stale a row was at most", () => {
    const account = judge(fineRun());
    expect(account).toMatchObject({ completed: 1, lost: 0, duplicateEffects: 0, paidTwice: 0, findings: [] });
    expect(account.maxStalenessS).toBeGreaterThan(0.09);
    expect(isHeld(account)).toBe(true);
    expect(isHeld({ ...account, maxStalenessS: 90 })).toBe(false);
  });

  it.each<[string, (run: Run) => void]>([
    ["a request that was never answered", ({ requests }) => void delete requests[0]!.job],
    [
      "a job that is gone",
      ({ rows }) => {
        for (const list of Object.values(rows)) list.length = 0;
      },
    ],
    [
      "a job that has not ended",
      ({ rows }) => void Object.assign(rows.jobs[0]!, { status: "processing", finishedAt: null }),
    ],
    [
      "a paid result that was not saved",
      ({ rows }) => {
        rows.jobs[0]!.status = "failed";
        rows.tasks[0]!.status = "failed";
        rows.attempts[0]!.state = "lost";
        rows.artifacts.length = 0;
        rows.events[1] = { ...rows.events[1]!, jobStatus: "failed", taskStatus: "failed" };
      },
    ],
  ])("counts %s as lost", (_, spoil) => {
    const run = fineRun();
    spoil(run);
    const account = judge(run);
    expect(account.lost).toBe(1);
    expect(isHeld(account)).toBe(false);
  });

  it.each<[string, (rows: Rows) => void]>([
    ["two jobs of one request", (rows) => void rows.jobs.push({ ...rows.jobs[0]!, id: "j2", version: 0 })],
    [
      "a task that was completed by two attempts",
      (rows) => void rows.attempts.push({ ...rows.attempts[0]!, id: "a2" }),
    ],
    ["the output of another attempt", (rows) => void Object.assign(rows.tasks[0]!, { by: "a0" })],
    [
      "the files of another attempt",
      (rows) => void Object.assign(rows.artifacts[0]!, { path: "u1/j1/film/a0/file" }),
    ],
    ["a file too many", (rows) => void rows.artifacts.push(rows.artifacts[0]!)],
    ["a version too many", (rows) => void Object.assign(rows.jobs[0]!, { version: 3 })],
    ["a version twice", (rows) => void Object.assign(rows.events[1]!, { version: 1 })],
  ])("counts %s as a duplicate effect", (_, spoil) => {
    const run = fineRun();
    spoil(run.rows);
    expect(judge(run).duplicateEffects).toBe(1);
  });

  it("counts work that was done again without a cause as paid twice", () => {
    expect(judge(doneBefore(fineRun(), "in_progress", null, null)).paidTwice).toBe(1);
    // Told as failed, but only after the next one had begun.
    expect(judge(doneBefore(fineRun(), "failed", "worker_error", 1500)).paidTwice).toBe(1);
    const twoPosts = fineRun();
    twoPosts.ledger.executions.push({ ...twoPosts.ledger.executions[0]!, runpodJob: "rp2" });
    expect(judge(twoPosts).paidTwice).toBe(1);
    const sameJob = fineRun();
    sameJob.ledger.executions.push({ ...sameJob.ledger.executions[0]! });
    expect(judge(sameJob).paidTwice).toBe(1);
  });

  it.each([
    ["told_failure", "failed", "platform_loss"],
    ["evidence_window", "superseded", "unconfirmed"],
    ["forgotten", "lost", "lost"],
  ] as const)("allows a repeat for the cause %s, and tells it apart", (repeat, state, failure) => {
    const account = judge(doneBefore(fineRun(), state, failure));
    expect(account.repeats[repeat]).toBe(1);
    expect(account.paidTwice).toBe(0);
  });

  /** The first attempt was given up at `at` for `cause`, and completed the task in the end. */
  function wonLate(run: Run, cause: string, at: number): Run {
    doneBefore(run, "completed", null, 3000);
    run.rows.attempts[1]!.state = "superseded";
    run.rows.tasks[0]!.by = "a0";
    run.rows.artifacts[0]!.path = "u1/j1/film/a0/file";
    run.rows.jobs[0]!.version = 3;
    run.rows.events[1]!.version = 3;
    const given = { taskStatus: "queued", taskPhase: "retrying", jobStatus: "processing" };
    run.rows.events.splice(1, 0, { ...EVENT, ...given, task: "film", version: 2, cause, at });
    return run;
  }

  it.each([
    ["evidence_window", "no answer in time"],
    ["forgotten", "not_found"],
  ] as const)(
    "knows the cause %s by the history where the earlier attempt won after all",
    (repeat, cause) => {
      const account = judge(wonLate(fineRun(), cause, 900));
      expect(account).toMatchObject({ paidTwice: 0, duplicateEffects: 0, repeats: { [repeat]: 1 } });
      expect(judge(wonLate(fineRun("at_most_once"), cause, 900)).paidTwice).toBe(1);
      // Given up only after the next one had begun, or never.
      expect(judge(wonLate(fineRun(), cause, 1500)).paidTwice).toBe(1);
      expect(judge(wonLate(fineRun(), "started", 900)).paidTwice).toBe(1);
    },
  );

  it("allows work on an attempt that was given up, by a worker that could not ask, after the next one's", () => {
    const run = doneBefore(fineRun(), "superseded", "unconfirmed");
    run.ledger.executions[0]!.startedAt = 1500;
    expect(judge(run)).toMatchObject({ paidTwice: 0, repeats: { evidence_window: 1 } });
  });

  it("counts a finished result that RunPod forgot as lost, although the work was done again", () => {
    const run = doneBefore(fineRun(), "lost", "lost");
    Object.assign(run.ledger.executions[0]!, { doneAt: 900 });
    run.ledger.note({ order: 2, at: 900, type: "finished", endpoint: "gpu", job: "rp0", state: "COMPLETED" });
    const account = judge(run);
    expect(account).toMatchObject({ lost: 1, paidTwice: 0, repeats: { forgotten: 1 } });
    expect(isHeld(account)).toBe(false);
  });

  it("allows RunPod's own repeat after it lost a worker", () => {
    const run = fineRun();
    run.ledger.executions.push({ ...run.ledger.executions[0]! });
    run.ledger.note({ order: 2, at: 2, type: "lost", endpoint: "gpu", job: "rp1", run: 1 });
    expect(judge(run)).toMatchObject({ paidTwice: 0, repeats: { worker_lost: 1 } });
  });

  it("allows only told failures where nothing must be bought twice", () => {
    const dear = () => fineRun("at_most_once");
    expect(judge(doneBefore(dear(), "superseded", "unconfirmed")).paidTwice).toBe(1);
    expect(judge(doneBefore(dear(), "lost", "lost")).paidTwice).toBe(1);
    expect(judge(doneBefore(dear(), "failed", "platform_loss")).paidTwice).toBe(0);
  });
});
