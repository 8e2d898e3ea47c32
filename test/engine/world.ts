import { randomUUID } from "node:crypto";
import type { Claim, Report, SubmissionResult } from "@podbase/core";
import { expect } from "vitest";
import { type Observation, observe } from "./observe.ts";
import { CONFIG, type PlanTask } from "./plans.ts";
import { RunPodModel } from "./runpod-model.ts";
import type { EngineSession } from "./session.ts";

/** What the test knows of a job that it requested. */
export interface KnownJob {
  id: string;
  plan: PlanTask[];
  key: string | null;
  input: unknown;
}

/**
 * The world around the database in one run: RunPod, the functions between two calls with what each holds in memory,
 * and the requests made. A crash is a function that never comes to its next call: what it held is dropped.
 */
export class World {
  readonly user = randomUUID();
  readonly stranger = randomUUID();
  readonly runpod = new RunPodModel();
  readonly jobs: KnownJob[] = [];
  /** Every claim ever handed out, in order. */
  readonly claims: Claim[] = [];
  /** Claimed, and not yet posted: in the memory of a function. */
  readonly claimed: Claim[] = [];
  /** Posted, and how that ended not yet recorded. */
  readonly answers: SubmissionResult[] = [];
  /** On their way from RunPod to the webhook function. */
  readonly webhooks: Report[] = [];
  /** Results of `/status` that are not yet recorded. */
  readonly lookups: Report[] = [];
  /** Rows of finished jobs and tasks as they were first seen: they never change again. */
  readonly finished = new Map<string, string>();
  /** The stranger's rows. */
  strangers = "";
  /** Jobs whose owner asked to cancel. */
  readonly canceled = new Set<string>();
  /** Steps taken. */
  steps = 0;
  /** The engine's clock after the last step, in ms. */
  now = 0;

  /** Routes, two users, and for the stranger one completed job and one that waits for a shut endpoint. */
  static async create(db: EngineSession): Promise<World> {
    const world = new World();
    db.now = Date.now();
    await db.query`insert into auth.users (id, email)
      select id, id || '@example.com' from unnest(${[world.user, world.stranger]}::uuid[]) id`;
    await db.configure(CONFIG);
    // Each run begins with endpoints that nothing has gone wrong with.
    await db.query`update podbase_private.endpoints set breaker = 'closed', submit_failures = 0, run_failures = 0,
      breaker_trips = 0, breaker_until = null`;
    // And whose rate is not used up by a run whose clock was a moment ahead.
    await db.query`select setval(('podbase_private.bucket_' || id)::regclass, 1) from podbase_private.endpoints`;
    const theirs = (route: string) =>
      db.submit({
        user: world.stranger,
        kind: "model",
        input: {},
        plan: { tasks: [{ name: "a", route }] },
      });
    await theirs("closed");
    const [claim] = (await theirs("image")).claims;
    if (!claim) throw new Error("the stranger's task was not claimed");
    await db.report({
      ...about(claim),
      source: "webhook",
      token: claim.token,
      status: "COMPLETED",
      output: {},
    });
    world.strangers = JSON.stringify((await observe(db, world.user, world.stranger)).strangers);
    world.now = db.now;
    return world;
  }

  /** Takes over claims that a function returned. The lists of a function that dies at once are dropped by the caller. */
  took(claims: Claim[]): void {
    for (const claim of claims) {
      const job = this.jobs.find((each) => each.id === claim.job);
      expect(job, "a claim is of a job of this run").toBeDefined();
      const task = job?.plan.find((each) => each.name === claim.task.replace(/\[\d+\]$/, "")) as PlanTask;
      const earlier = this.claims.filter((each) => each.job === claim.job && each.task === claim.task);
      expect(claim.number, "attempts are numbered from 1 without a gap").toBe(earlier.length + 1);
      expect(claim.artifacts).toEqual(task.artifacts);
      if (task.submitPolicy === "at_most_once") for (const before of earlier) this.#isSettled(before);
      this.claims.push(claim);
      this.claimed.push(claim);
    }
  }

  /**
   * Under at_most_once nothing is tried again while an earlier attempt may have done the work. Who still holds its claim can
   * no longer post it.
   */
  #isSettled(earlier: Claim): void {
    if (this.writtenOff.has(earlier.attempt)) return;
    const what = `at_most_once: ${earlier.task} is tried again, so attempt ${earlier.number}`;
    const job = this.runpod.ofAttempt(earlier.attempt);
    if (!job?.worked) return;
    expect(job.endedAt, `${what} has ended`).not.toBeNull();
    if (job.status !== "COMPLETED") return;
    // Work that was told and refused: its output did not fit, or its artifact is not there.
    expect(this.told.has(job.id), `${what}, which completed, was told to the engine`).toBe(true);
  }

  /** RunPod jobs whose end the engine was told. */
  readonly told = new Set<string>();
  /** How often a job's owner had it tried again. */
  readonly retries = new Map<string, number>();
  /** Attempts that a person has since decided not to wait for. */
  readonly writtenOff = new Set<string>();

  /** The owner retried a job: what failed or was canceled may end another time, and be bought again. */
  reopen(job: string, before: Observation): void {
    this.retries.set(job, (this.retries.get(job) ?? 0) + 1);
    this.finished.delete(job);
    for (const task of before.tasks) {
      if (task.job_id === job && task.status !== "completed") this.finished.delete(task.id);
    }
    for (const claim of this.claims) if (claim.job === job) this.writtenOff.add(claim.attempt);
  }

  /** Removes the run's users with all that is theirs, but for files, which only Storage may remove. */
  async remove(db: EngineSession): Promise<void> {
    const users = [this.user, this.stranger];
    const topics = users.map((user) => `podbase:${user}`);
    await db.query`with told as (delete from realtime.messages where topic = any (${topics}::text[]))
      delete from auth.users where id = any (${users}::uuid[])`;
    await db.query`delete from podbase_private.orphans`;
  }

  /** Takes the element at `index`, counted round; leaves it in the list when `keep`. */
  pick<T>(list: T[], index: number, keep = false): T {
    const at = index % list.length;
    const item = list[at];
    if (item === undefined) throw new Error("nothing to pick from");
    if (!keep) list.splice(at, 1);
    return item;
  }
}

/** The words of a report that name its attempt. */
export const about = (claim: Claim) => ({ attempt: claim.attempt, kind: claim.kind, task: claim.task });
