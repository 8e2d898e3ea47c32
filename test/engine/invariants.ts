import { expect } from "vitest";
import { type AttemptRow, itemsOf, type Observation, type TaskRow } from "./observe.ts";
import { CAPS } from "./plans.ts";
import type { World } from "./world.ts";

const LIVE = new Set(["claimed", "submit_unknown", "in_queue", "in_progress"]);
const TERMINAL = new Set(["completed", "failed", "canceled"]);
const TEN_MINUTES = 600_000;

/** What holds after every call, however the calls were mixed. `now` is the engine's clock in ms. */
export function checkStep(world: World, seen: Observation, now: number): void {
  expect(JSON.stringify(seen.strangers), "other users' rows are untouched").toBe(world.strangers);
  const attemptsOf = (task: string) => seen.attempts.filter((attempt) => attempt.task_id === task);
  const tasksOf = (job: string) => seen.tasks.filter((task) => task.job_id === job);
  for (const attempt of seen.attempts) checkAttempt(attempt, now);
  for (const task of seen.tasks)
    checkTask(task, attemptsOf(task.id), tasksOf(task.job_id), world.retries.has(task.job_id));
  for (const job of seen.jobs) {
    const its = tasksOf(job.id);
    expect(TERMINAL.has(job.status), `job ${job.id} is finished when its tasks are`).toBe(
      its.every((task) => TERMINAL.has(task.status)),
    );
    if (TERMINAL.has(job.status)) expect(job.status, `the status of job ${job.id}`).toBe(derived(its));
  }
  for (const row of [...seen.jobs, ...seen.tasks]) checkSticky(world, row);
  for (const [endpoint, cap] of Object.entries(CAPS)) {
    const live = seen.attempts.filter((each) => each.endpoint === endpoint && LIVE.has(each.state));
    expect(live.length, `attempts in flight at the endpoint ${endpoint}`).toBeLessThanOrEqual(cap);
  }
}

function checkAttempt(attempt: AttemptRow, now: number): void {
  const what = `attempt ${attempt.number}, ${attempt.state}`;
  expect(attempt.next_check_at !== null, `${what}: somebody looks again exactly while it lives`).toBe(
    LIVE.has(attempt.state),
  );
  if (attempt.state !== "in_queue" && attempt.state !== "in_progress") return;
  expect(
    Date.parse(attempt.next_check_at as string),
    `${what}: looked after every ten minutes`,
  ).toBeLessThanOrEqual(now + TEN_MINUTES + 1);
}

function checkTask(task: TaskRow, attempts: AttemptRow[], siblings: TaskRow[], retried: boolean): void {
  const what = `task ${task.name} (${task.status}, ${task.phase})`;
  const live = attempts.filter((attempt) => LIVE.has(attempt.state));
  const upstream = siblings.filter((each) => task.after.includes(each.name));
  expect(
    attempts.map((attempt) => attempt.number),
    `${what}: attempts are numbered without a gap`,
  ).toEqual(attempts.map((_, index) => index + 1));
  expect(
    attempts.filter((attempt) => attempt.state === "completed").length,
    `${what}: completed attempts`,
  ).toBe(task.status === "completed" && !task.is_map ? 1 : 0);
  if (task.is_map) expect(attempts, `${what}: a map runs nothing itself`).toEqual([]);
  // Once its owner had the job tried again, a task may have been tried before what it waits for was opened anew.
  if (attempts.length > 0 && !retried) {
    expect(
      upstream.every((each) => TERMINAL.has(each.status)),
      `${what}: tried only after what it waits for`,
    ).toBe(true);
  }
  if (task.cancel_requested_at !== null) {
    expect(
      attempts.every((each) => Date.parse(each.created_at) <= Date.parse(task.cancel_requested_at as string)),
      `${what}: never tried again once canceled`,
    ).toBe(true);
  }
  const reasons = live.length + (task.ready ? 1 : 0) + (task.run_at === null ? 0 : 1);
  if (TERMINAL.has(task.status)) {
    expect(reasons, `${what}: nothing is left of a finished task`).toBe(0);
  } else if (task.status === "blocked") {
    expect(reasons, `${what}: a blocked task is in no queue`).toBe(0);
    expect(
      [...upstream, ...itemsOf(task, siblings)].some((each) => !TERMINAL.has(each.status)),
      `${what}: it waits for something`,
    ).toBe(true);
  } else {
    expect(reasons, `${what}: it is in flight, ready or deferred, and only one of them`).toBe(1);
  }
}

/** A job's status as its finished tasks make it. */
function derived(tasks: TaskRow[]): string {
  const required = tasks.filter((task) => !task.optional).map((task) => task.status);
  if (required.includes("failed")) return "failed";
  return required.includes("canceled") ? "canceled" : "completed";
}

/** A finished row is the same ever after. */
function checkSticky(world: World, row: { id: string; status: string }): void {
  if (!TERMINAL.has(row.status)) return;
  // Counters of the schedule may still rise; what the owner sees may not.
  const { failures: _, cancel_requested_at: __, ...shown } = row as TaskRow;
  const now = JSON.stringify(shown);
  const first = world.finished.get(row.id) ?? now;
  world.finished.set(row.id, first);
  expect(now, "a finished row never changes").toBe(first);
}
