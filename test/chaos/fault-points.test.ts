import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RunPod } from "@podbase/core";
import { supabasePorts } from "@podbase/edge";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import ws from "ws";
import { databaseOfFile } from "./database.ts";
import { endOf, expectSound } from "./effects.ts";
import { ENDINGS, type FaultPoint } from "./fault-points.ts";
import type { JOBS } from "./jobs.ts";
import { World, type WorldOptions } from "./world.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const database = await databaseOfFile();

/** A job, and what goes on around it. */
interface Story extends Omit<WorldOptions, "database" | "point"> {
  kind: keyof typeof JOBS;
  /** It is asked for in a list. */
  bulk?: boolean;
  /** The owner cancels the job while the work is under way. */
  cancel?: boolean;
  /** The job is deleted once it has ended, and with it its files. */
  remove?: boolean;
}

/** Runs one story to its end with at most one fault, and gives what came of it. */
async function run({ kind, bulk = false, cancel, remove, ...options }: Story, point?: FaultPoint) {
  const world = await World.open({ ...options, database, ...(point === undefined ? {} : { point }) });
  try {
    const job = await world.request(kind, {}, { bulk });
    if (cancel) {
      await world.wait(6000);
      await database.query("select podbase.operator_cancel_job($1)", job);
    }
    await world.settle(job);
    const end = await endOf(world, job);
    if (remove) await removeWithFiles(world, job);
    return { world, end };
  } finally {
    await world.close();
  }
}

/** Deletes the job, and expects its files to follow, if not at once; what a dead pass had taken is given again. */
async function removeWithFiles(world: World, job: string): Promise<void> {
  const files = () => database.query("select name from storage.objects where name like $1", `%/${job}/%`);
  expect(await files()).not.toEqual([]);
  await database.query("delete from podbase.jobs where id = $1", job);
  for (let minute = 0; minute < 12; minute++) {
    await world.pass();
    await world.wait(60_000);
  }
  expect(await files()).toEqual([]);
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
const THREE: Story = { kind: "three" };
const UNHEARD: Story = { kind: "three", faults: LOST };
const CANCELED: Story = { kind: "three", workMs: 60_000, cancel: true };
const DEAR: Story[] = [{ kind: "dear" }, { kind: "dear", faults: LOST }];
const OTHERS = {
  "of a job that was asked for in a list": { kind: "word", bulk: true },
  "of a task whose webhook has to be confirmed": { kind: "checked" },
  "of a job whose worker is long in coming": { kind: "word", coldStartMs: 40_000 },
  "of a job that is deleted with its files": { kind: "three", remove: true },
} satisfies Record<string, Story>;

describe("every fault point", { timeout: 300_000 }, () => {
  // The functions tell each of these failures to their log.
  beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
  afterAll(() => void vi.restoreAllMocks());

  it("of a job of three tasks is survived: it completes, each effect once", async () => {
    const calls = await everyPointOf(THREE, (end, where) => {
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
    const calls = await everyPointOf(UNHEARD, (end, where) => {
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
    const calls = await everyPointOf(CANCELED, (end, where) => {
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
    for (const story of DEAR) {
      await everyPointOf(story, (end, where) => {
        // Given up aloud, and only where nobody can know whether RunPod got the work: it was told of, and never sent.
        const unsent = /^dies after call 2, .* database.recordSubmissions$|before .* runpod.run$/.test(where);
        if (end.status === "failed")
          expect([end.error?.code, unsent], where).toEqual(["lost_unconfirmed", true]);
        else expect(end.status, where).toBe("completed");
      });
    }
  });

  it.each(Object.entries(OTHERS))("%s is survived: it completes, each effect once", async (_, story) => {
    await everyPointOf(story, (end, where) => expect(end.status, where).toBe("completed"));
  });
});

describe("the stories leave out no await", () => {
  afterAll(() => void vi.unstubAllGlobals());

  it("for all calls of the functions' ports come in one of them", async () => {
    const stories = [THREE, UNHEARD, CANCELED, ...DEAR, ...Object.values(OTHERS)];
    const reached = new Set<string>();
    for (const story of stories) {
      const { world } = await run(story);
      for (const call of world.points.calls) reached.add(call.replace(/^.*: /, ""));
    }
    // The ports as the functions are given them, whatever is added to them. supabase-js wants a WebSocket, which Node 20 lacks.
    vi.stubGlobal("WebSocket", ws);
    const { database: sql, storage } = supabasePorts({ supabaseUrl: "http://p.test", secretKey: "x" });
    const runpod = Object.getOwnPropertyNames(RunPod.prototype).filter((name) => name !== "constructor");
    const all = Object.entries({ database: Object.keys(sql), storage: Object.keys(storage), runpod });
    expect([...reached].sort()).toEqual(
      all.flatMap(([port, names]) => names.map((name) => `${port}.${name}`)).sort(),
    );
  });

  it("for nothing but the ports reaches out of a function", async () => {
    const folders = ["packages/core/src", "packages/edge/src", "supabase/functions"].map(
      (each) => `${ROOT}${each}`,
    );
    const files = await Promise.all(
      folders.map((folder) => readdir(folder, { recursive: true, withFileTypes: true })),
    );
    const reaching: string[] = [];
    for (const file of files.flat().filter(({ name }) => name.endsWith(".ts"))) {
      const code = await readFile(join(file.parentPath, file.name), "utf8");
      if (/(?<!app\.)\bfetch\(|\bcreateClient\b|\bnew WebSocket\b|\bDeno\.(?!env\b)|"node:/.test(code))
        reaching.push(file.name);
    }
    expect(reaching.sort()).toEqual(["runpod.ts", "supabase.ts"]);
  });
});
