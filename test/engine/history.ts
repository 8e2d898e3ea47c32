import { expect } from "vitest";
import { itemsOf, type Observation, type TaskRow } from "./observe.ts";
import { outputOf } from "./runpod-model.ts";
import type { EngineSession } from "./session.ts";
import type { World } from "./world.ts";

interface EventRow {
  job_id: string;
  version: number;
  task: string | null;
  job_status: string;
  job_phase: string;
  task_status: string | null;
  task_phase: string | null;
}

/** The payload of a broadcast, as clients get it. */
interface Message {
  job: string;
  version: number;
  status: string;
  phase: string;
  progress: number;
  task?: { name: string; status: string; phase: string; version: number; progress: number | null };
}

/** What holds of a settled run as a whole: histories fold to rows, results are real, ends have reasons. */
export async function checkHistory(world: World, db: EngineSession, seen: Observation): Promise<void> {
  const [row] = await db.query<{ events: EventRow[]; messages: Message[]; classes: Record<string, boolean> }>`
    select
      (select coalesce(jsonb_agg(to_jsonb(e) || jsonb_build_object('task', t.name) order by e.version), '[]')
        from podbase_private.job_events e join podbase.jobs j on j.id = e.job_id
        left join podbase.tasks t on t.id = e.task_id where j.user_id = ${world.user}) as events,
      (select coalesce(jsonb_agg(payload order by (payload ->> 'version')::int), '[]') from realtime.messages
        where topic = ${`podbase:${world.user}`}) as messages,
      (select jsonb_object_agg(class, retry) from podbase_private.failure_classes) as classes`;
  const { events, messages, classes } = row as NonNullable<typeof row>;
  expect(seen.jobs.map((job) => job.id).sort()).toEqual(world.jobs.map((job) => job.id).sort());

  for (const job of seen.jobs) {
    const tasks = seen.tasks.filter((task) => task.job_id === job.id);
    const its = events.filter((event) => event.job_id === job.id);
    const told = messages.filter((message) => message.job === job.id);
    const versions = Array.from({ length: Number(job.version) }, (_, at) => at + 1);
    expect(
      its.map((event) => Number(event.version)),
      "events are numbered from 1",
    ).toEqual(versions);
    expect(
      told.map((message) => message.version),
      "broadcasts are numbered from 1",
    ).toEqual(versions);

    const { status, phase } = job;
    expect(its.at(-1), "events fold to the job").toMatchObject({ job_status: status, job_phase: phase });
    expect(told.at(-1), "broadcasts fold to the job").toMatchObject({
      status,
      phase,
      progress: job.progress,
    });
    for (const task of tasks) {
      checkTaskHistory(task, its, told, world.retries.get(job.id) ?? 0);
      if (task.is_map) checkMap(task, tasks);
      else checkResult(world, task, seen);
      checkReason(world, task, tasks, seen, classes);
    }
  }
}

function checkTaskHistory(task: TaskRow, events: EventRow[], messages: Message[], retries: number): void {
  const its = events.filter((event) => event.task === task.name);
  const told = messages.flatMap((message) => (message.task?.name === task.name ? [message.task] : []));
  expect(its.at(-1), `events fold to task ${task.name}`).toMatchObject({
    task_status: task.status,
    task_phase: task.phase,
  });
  expect(told.at(-1), `broadcasts fold to task ${task.name}`).toEqual({
    name: task.name,
    status: task.status,
    phase: task.phase,
    version: Number(task.version),
    progress: task.progress,
  });
  const times = (...ends: string[]) => its.filter((event) => ends.includes(event.task_status ?? "")).length;
  expect(times("completed"), `task ${task.name} was completed`).toBe(task.status === "completed" ? 1 : 0);
  expect(
    times("completed", "failed", "canceled"),
    `task ${task.name} ended once, and once more for a retry`,
  ).toBeLessThanOrEqual(1 + retries);
}

/** A completed task's output is what a RunPod job of the attempt that completed it really produced. */
function checkResult(world: World, task: TaskRow, seen: Observation): void {
  const mine = world.claims.filter((claim) => claim.job === task.job_id && claim.task === task.name);
  const worked = world.runpod.jobs.filter((job) => job.worked && mine.includes(job.claim));
  if (task.status !== "completed") return;
  const winner = seen.attempts.find((each) => each.task_id === task.id && each.state === "completed");
  const job = worked.find((each) => each.claim.attempt === winner?.id);
  expect(job, `task ${task.name} was completed by work that was done`).toMatchObject({ status: "COMPLETED" });
  if (task.output === null) {
    // Found by its artifacts after RunPod forgot it, so that nobody saw the output.
    expect(job?.claim.artifacts).not.toEqual({});
    return;
  }
  expect(job?.invalid, `the output of task ${task.name} fits its schema`).toBe(false);
  expect(task.output).toEqual(job && outputOf(job));
}

/** A map ends with its items: their outputs in order, or the failure of one of them, or of a list that was none. */
function checkMap(map: TaskRow, siblings: TaskRow[]): void {
  const items = itemsOf(map, siblings);
  expect(
    items.map((item) => item.item_index),
    `the items of ${map.name} are numbered from 0`,
  ).toEqual(items.map((_, at) => at));
  if (map.status === "completed") {
    expect(map.output, `the list of ${map.name}`).toHaveLength(items.length);
    // An optional item that failed may have been tried again since.
    (map.output as unknown[]).forEach((output, at) => {
      if (output !== null) expect(output).toEqual(items[at]?.output);
    });
  } else if (map.status === "failed") {
    const codes = items.length > 0 ? items.map((item) => item.error?.code) : ["invalid_output"];
    expect(codes, `the reason of ${map.name}`).toContain(map.error?.code);
  }
}

/** A task failed for a reason that is never retried or too often, and was canceled by its owner or its upstream. */
function checkReason(
  world: World,
  task: TaskRow,
  siblings: TaskRow[],
  seen: Observation,
  classes: Record<string, boolean>,
): void {
  const what = `task ${task.name}, ${task.status}`;
  if (task.status === "failed" && !task.is_map) {
    const last = seen.attempts.filter((each) => each.task_id === task.id).at(-1);
    expect(task.error?.code, what).toBe(last?.failure_class);
    const doubtful = task.submit_policy === "at_most_once" && last?.state === "lost";
    expect(
      doubtful || classes[task.error?.code ?? ""] === false || task.failures >= task.max_attempts,
      `${what}: ${task.error?.code} after ${task.failures} failures of ${task.max_attempts} has a reason`,
    ).toBe(true);
  }
  if (task.status === "canceled" && !world.canceled.has(task.job_id)) {
    expect(
      siblings.some(
        (each) => task.after.includes(each.name) && !each.optional && each.status !== "completed",
      ),
      `${what}: what it waits for did not complete`,
    ).toBe(true);
  }
}
