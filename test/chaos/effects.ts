import { expect } from "vitest";
import type { World } from "./world.ts";

interface AttemptRow {
  id: string;
  task: string;
  number: number;
  state: string;
  failure_class: string | null;
  policy: string;
}

/** Everything of a job that its end is judged by. */
export async function endOf(world: World, job: string) {
  const { database } = world;
  const [row] = await database.query<{ status: string; version: string; error: { code: string } | null }>(
    "select status, version, error from podbase.jobs where id = $1",
    job,
  );
  const tasks = await database.query<{ name: string; status: string; version: string }>(
    "select name, status, version from podbase.tasks where job_id = $1 order by created_at",
    job,
  );
  const attempts = await database.query<AttemptRow>(
    `select a.id, t.name as task, a.number, a.state, a.failure_class, s.submit_policy as policy
     from podbase_private.attempts a join podbase.tasks t on t.id = a.task_id
     join podbase_private.task_schedule s on s.task_id = t.id
     where a.job_id = $1 order by t.created_at, a.number`,
    job,
  );
  const artifacts = await database.query("select * from podbase.artifacts where job_id = $1", job);
  const events = await database.query<{ version: string; task: string | null; task_status: string | null }>(
    `select e.version, t.name as task, e.task_status from podbase_private.job_events e
     left join podbase.tasks t on t.id = e.task_id where e.job_id = $1 order by e.version`,
    job,
  );
  if (!row) throw new Error("the job is gone");
  return { ...row, tasks, attempts, artifacts, events };
}

/**
 * What must hold whatever failed on the way: every version once, every task ended once, with the files of the one attempt
 * that completed it, and nothing done twice unless the earlier try had been given up for a reason that its policy allows.
 */
export function expectSound(world: World, end: Awaited<ReturnType<typeof endOf>>): void {
  expect(end.events.map((event) => Number(event.version))).toEqual(
    Array.from({ length: Number(end.version) }, (_, n) => n + 1),
  );
  for (const task of end.tasks) {
    const completions = end.events.filter((e) => e.task === task.name && e.task_status === "completed");
    const winners = end.attempts.filter((a) => a.task === task.name && a.state === "completed");
    const expected = task.status === "completed" ? 1 : 0;
    expect(completions.length, `versions that complete ${task.name}`).toBe(expected);
    expect(winners.length, `attempts that completed ${task.name}`).toBe(expected);
  }
  for (const { id, task, number, policy } of end.attempts) {
    const times = world.executions.filter((execution) => execution.attempt === id).length;
    expect(times, `attempt ${number} of ${task} was worked on`).toBeLessThanOrEqual(1);
    if (times === 0) continue;
    const earlier = end.attempts.filter(
      (a) => a.task === task && a.number < number && world.executions.some((e) => e.attempt === a.id),
    );
    const reasons = policy === "at_most_once" ? [] : ["unconfirmed", "lost", "missing_output"];
    for (const before of earlier) expect(reasons, `${task} was done again`).toContain(before.failure_class);
  }
}
