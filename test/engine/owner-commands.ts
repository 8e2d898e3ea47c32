import fc from "fast-check";
import { expect } from "vitest";
import { type JobRow, observe } from "./observe.ts";
import { describePlan, type PlanTask, plan } from "./plans.ts";
import type { EngineSession } from "./session.ts";
import { index, sometimes, step } from "./step.ts";
import type { World } from "./world.ts";

/** A request, perhaps the same again, perhaps by a function that dies with the claims it was given. */
export const submit = fc
  .record({ tasks: plan, key: fc.constantFrom(null, null, "k1", "k2"), n: fc.nat(1), crash: sometimes })
  .map(({ tasks, key, n, crash }) =>
    step(
      `submit ${describePlan(tasks)}${key ? ` key ${key} input ${n}` : ""}${crash ? ", then crash" : ""}`,
      (world) => world.jobs.length < 4,
      (world, db) => request(world, db, { tasks, key, n, crash }),
    ),
  );

/** Requests a job, or the same again; a key used for another input is refused. */
async function request(
  world: World,
  db: EngineSession,
  { tasks, key, n, crash }: { tasks: PlanTask[]; key: string | null; n: number; crash: boolean },
): Promise<void> {
  const before = world.jobs.find((job) => key !== null && job.key === key);
  const made = db.submit({
    user: world.user,
    kind: "model",
    input: { n, list: n === 0 ? [] : [1, 2] },
    plan: { tasks },
    ...(key === null ? {} : { idempotencyKey: key }),
  });
  if (before && before.input !== n) {
    await expect(made).rejects.toMatchObject({ code: "PB001" });
    return;
  }
  const { job, created, claims } = await made;
  expect(created).toBe(before === undefined);
  if (before) expect(job.id).toBe(before.id);
  else world.jobs.push({ id: job.id, plan: tasks, key, input: n });
  world.took(claims);
  if (crash) world.claimed.length = 0;
}

/** What somebody does to a job, or to one of its tasks. */
const target = fc.record({ at: index, task: fc.option(index, { freq: 1 }), byStranger: sometimes });
type Target = { at: number; task: number | null; byStranger: boolean };
const describeTarget = ({ at, task, byStranger }: Target, verb: string) =>
  `${byStranger ? "a stranger" : "the owner"} ${verb} ${task === null ? "" : `task #${task} of `}job #${at}`;

/** The rows of a target before, and the call with its refusal. */
async function ask(
  world: World,
  db: EngineSession,
  { at, task, byStranger }: Target,
  verb: "cancel" | "retry",
) {
  const { id } = world.pick(world.jobs, at, true);
  const before = await observe(db, world.user, world.stranger);
  const job = before.jobs.find((each) => each.id === id) as JobRow;
  const tasks = before.tasks.filter((each) => each.job_id === id).sort((a, b) => (a.name < b.name ? -1 : 1));
  const one = task === null ? null : world.pick(tasks, task, true);
  const user = byStranger ? world.stranger : world.user;
  const refusal = await db.asUser(user, verb, one ? "task" : "job", one?.id ?? id);
  return { before, job, one, refusal };
}

/** The owner, or a stranger in vain, cancels a job or one of its tasks. */
export const cancel = target.map((which) =>
  step(
    describeTarget(which, "cancels"),
    (world) => world.jobs.length > 0,
    async (world, db) => {
      const { job, one, refusal } = await ask(world, db, which, "cancel");
      expect(refusal).toBe(which.byStranger ? "PB005" : null);
      if (refusal !== null) return;
      world.canceled.add(job.id);
      if (one) return;
      const { tasks } = await observe(db, world.user, world.stranger);
      const goOn = tasks.filter(
        (task) => task.job_id === job.id && !task.finished_at && !task.cancel_requested_at,
      );
      expect(goOn, "nothing of a canceled job goes on").toEqual([]);
    },
  ),
);

/** The owner, or a stranger in vain, has what failed or was canceled tried again. */
export const retry = target.map((which) =>
  step(
    describeTarget(which, "retries"),
    (world) => world.jobs.length > 0,
    async (world, db) => {
      const { before, job, one, refusal } = await ask(world, db, which, "retry");
      const over = (row: { status: string }) => ["failed", "canceled"].includes(row.status);
      const upstream = before.tasks.filter(
        (each) => each.job_id === job.id && one?.after.includes(each.name),
      );
      const possible =
        over(one ?? job) &&
        job.status !== "completed" &&
        !upstream.some((each) => !each.optional && over(each));
      expect(refusal).toBe(which.byStranger ? "PB005" : possible ? null : "PB006");
      if (refusal === null) world.reopen(job.id, before);
    },
  ),
);
