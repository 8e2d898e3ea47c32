import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { databaseOfFile } from "./database.ts";
import { endOf, expectSound } from "./effects.ts";
import { ENDINGS, type FaultPoint } from "./fault-points.ts";
import type { JOBS } from "./jobs.ts";
import { World, type WorldOptions } from "./world.ts";

const database = await databaseOfFile();

/** A job, and what goes on around it. */
interface Story extends Omit<WorldOptions, "database" | "point"> {
  kind: keyof typeof JOBS;
  /** The owner cancels the job while the work is under way. */
  cancel?: boolean;
}

/** Runs one story to its end with at most one fault, and gives what came of it. */
async function run({ kind, cancel, ...options }: Story, point?: FaultPoint) {
  const world = await World.open({ ...options, database, ...(point === undefined ? {} : { point }) });
  try {
    const job = await world.request(kind);
    if (cancel) {
      await world.wait(6000);
      await database.query("select podbase.operator_cancel_job($1)", job);
    }
    await world.settle(job);
    return { world, end: await endOf(world, job) };
  } finally {
    await world.close();
  }
}

/** Runs the story once for each await of its undisturbed run and each way that one can end. */
async function everyPointOf(
  story: Story,
  check: (end: Awaited<ReturnType<typeof endOf>>, where: string) => void,
): Promise<string[]> {
  const { world: undisturbed, end } = await run(story);
  expectSound(undisturbed, end);
  for (const [at, call] of undisturbed.points.calls.entries()) {
    for (const ending of ENDINGS) {
      const { world, end } = await run(story, { at, ending });
      expect(world.points.struck, call).toBe(true);
      check(end, `${ending} call ${at}, ${call}`);
      expectSound(world, end);
    }
  }
  return undisturbed.points.calls;
}

const LOST: Story["faults"] = [{ fault: "webhook_drop" }];

describe("every fault point", { timeout: 120_000 }, () => {
  // The functions tell each of these failures to their log.
  beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
  afterAll(() => void vi.restoreAllMocks());

  it("of a job of three tasks is survived: it completes, each effect once", async () => {
    const calls = await everyPointOf({ kind: "three" }, (end, where) => {
      expect([end.status, end.artifacts.length], where).toEqual(["completed", 3]);
    });
    expect(new Set(calls)).toEqual(
      new Set([
        "request-job: database.submitJob",
        "request-job: storage.signUpload",
        "request-job: runpod.run",
        "request-job: database.recordSubmissions",
        "runpod-webhook: database.recordReport",
        "runpod-webhook: storage.signUpload",
        "runpod-webhook: runpod.run",
        "runpod-webhook: database.recordSubmissions",
      ]),
    );
  });

  it("of a job whose webhooks are all lost is survived: polls complete it", async () => {
    const calls = await everyPointOf({ kind: "three", faults: LOST }, (end, where) => {
      expect([end.status, end.artifacts.length], where).toEqual(["completed", 3]);
      // RunPod's answer to the POST may be lost too: its worker told the id to ask for.
      expect(
        end.attempts.map((attempt) => attempt.failure_class),
        where,
      ).not.toContain("lost");
    });
    expect(calls).toEqual(
      expect.arrayContaining([
        "reconcile: database.claimPolls",
        "reconcile: runpod.status",
        "reconcile: runpod.run",
      ]),
    );
  });

  it("of a job that is canceled under way is survived: it ends canceled, here and at RunPod", async () => {
    const calls = await everyPointOf({ kind: "three", workMs: 60_000, cancel: true }, (end, where) => {
      expect(end.status, where).toBe("canceled");
      expect(
        end.attempts.map((attempt) => attempt.state),
        where,
      ).not.toContain("in_progress");
    });
    expect(calls).toEqual(
      expect.arrayContaining(["reconcile: runpod.cancel", "reconcile: database.recordCancels"]),
    );
  });

  it("of a task that must not be bought twice is survived without ever doing it again", async () => {
    for (const faults of [[], LOST]) {
      await everyPointOf({ kind: "dear", faults }, (end, where) => {
        // Given up aloud, and only where nobody can know whether RunPod got the work, because it never did.
        const unsent = /before.* runpod.run$|(submitJob|claimTasks|signUpload)$/.test(where);
        if (end.status === "failed")
          expect([end.error?.code, unsent], where).toEqual(["lost_unconfirmed", true]);
        else expect(end.status, where).toBe("completed");
      });
    }
  });
});
