import fc from "fast-check";
import { expect } from "vitest";
import { end, type PostAnswer, post, progress, startAsking, startUnasked, tell } from "./actions.ts";
import { checkStep } from "./invariants.ts";
import { type JobRow, observe } from "./observe.ts";
import { describePlan, type PlanTask, plan } from "./plans.ts";
import type { EngineSession } from "./session.ts";
import type { World } from "./world.ts";

type Command = fc.AsyncCommand<World, EngineSession>;

/** One step: when it can be taken, what it does. The invariants are looked at after each. */
function step(
  name: string,
  possible: (world: World, now: number) => boolean,
  act: (world: World, db: EngineSession) => Promise<unknown> | unknown,
): Command {
  return {
    check: (world) => possible(world as World, world.now),
    async run(world, db) {
      db.now += 10;
      await act(world, db);
      world.now = db.now;
      world.steps++;
      checkStep(world, await observe(db, world.user, world.stranger), db.now);
    },
    toString: () => name,
  };
}

const index = fc.nat(7);
const sometimes = fc.oneof(
  { weight: 3, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);

const submit = fc
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
    input: { n },
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

const claim = fc.record({ limit: fc.constantFrom(1, 2, 10), crash: sometimes }).map(({ limit, crash }) =>
  step(
    `claim ${limit}${crash ? ", then crash" : ""}`,
    () => true,
    async (world, db) => {
      const claims = await db.claim(limit);
      world.took(claims);
      if (crash) for (const each of claims) world.claimed.splice(world.claimed.indexOf(each), 1);
    },
  ),
);

const ANSWERS: PostAnswer[] = [
  "accepted",
  "accepted",
  "accepted",
  "bad_input",
  "rate_limited",
  "auth",
  "unknown_endpoint",
  "not_sent",
  "unknown, job made",
  "unknown, job made",
  "unknown, nothing made",
];

const postOne = fc
  .record({
    at: index,
    answer: fc.constantFrom(...ANSWERS),
    next: fc.constantFrom("record", "record", "hold", "crash"),
  })
  .map(({ at, answer, next }) =>
    step(
      `post claim #${at}: ${answer}, then ${next}`,
      (world) => world.claimed.length > 0,
      async (world, db) => {
        post(world, db, world.pick(world.claimed, at), answer);
        if (next === "hold") return;
        const result = world.pick(world.answers, world.answers.length - 1);
        if (next === "record") await db.record([result]);
      },
    ),
  );

const crash = index.map((at) =>
  step(
    `crash with claim #${at}`,
    (world) => world.claimed.length > 0,
    (world) => world.pick(world.claimed, at),
  ),
);

const record = fc.record({ all: fc.boolean(), at: index, keep: sometimes }).map(({ all, at, keep }) =>
  step(
    `record ${all ? "all held answers" : `held answer #${at}`}${keep ? ", to be recorded again" : ""}`,
    (world) => world.answers.length > 0,
    async (world, db) => {
      await db.record(all ? [...world.answers] : [world.pick(world.answers, at, true)]);
      if (keep) return;
      if (all) world.answers.length = 0;
      else world.pick(world.answers, at);
    },
  ),
);

const start = fc
  .record({ at: index, asks: fc.constantFrom(true, true, true, false), strict: fc.boolean() })
  .map(({ at, asks, strict }) =>
    step(
      `worker takes RunPod job #${at}${asks ? `, asks${strict ? " (strict schema)" : ""}` : " without asking"}`,
      (world, now) => world.runpod.in(now, "IN_QUEUE").length > 0,
      (world, db) => {
        const job = world.pick(world.runpod.in(db.now, "IN_QUEUE"), at);
        return asks ? startAsking(world, db, job, strict) : startUnasked(world, job);
      },
    ),
  );

const running = (world: World, now: number) => world.runpod.in(now, "IN_PROGRESS").length > 0;

const tellProgress = fc
  .record({ at: index, seq: fc.nat(5), percent: fc.nat(100) })
  .map(({ at, seq, percent }) =>
    step(`worker of #${at} tells ${percent} % (seq ${seq})`, running, (world, db) =>
      progress(world, db, world.pick(world.runpod.in(db.now, "IN_PROGRESS"), at), seq, percent / 100),
    ),
  );

const finish = fc
  .record({
    at: index,
    upload: fc.constantFrom("whole", "whole", "whole", "short", "none"),
    invalid: sometimes,
  })
  .map(({ at, upload, invalid }) =>
    step(
      `worker of #${at} completes, upload ${upload}${invalid ? ", invalid output" : ""}`,
      running,
      (world, db) =>
        end(
          world,
          db,
          world.pick(world.runpod.in(db.now, "IN_PROGRESS"), at),
          { how: "completed", invalid },
          upload,
        ),
    ),
  );

const fail = fc
  .record({
    at: index,
    error: fc.constantFrom(
      "boom",
      "CUDA out of memory",
      "job timed out after 3 retries",
      "executionTimeout exceeded",
      "invalid input: no",
      null,
    ),
  })
  .map(({ at, error }) =>
    step(`RunPod job #${at} ${error === null ? "times out" : `fails: ${error}`}`, running, (world, db) =>
      end(
        world,
        db,
        world.pick(world.runpod.in(db.now, "IN_PROGRESS"), at),
        error === null ? { how: "timed_out" } : { how: "failed", error },
        "none",
      ),
    ),
  );

const requeue = index.map((at) =>
  step(`RunPod puts job #${at} back into its queue`, running, (world, db) => {
    world.pick(world.runpod.in(db.now, "IN_PROGRESS"), at).status = "IN_QUEUE";
  }),
);

const webhook = fc
  .record({ at: index, how: fc.constantFrom("arrives", "arrives", "arrives and comes again", "is lost") })
  .map(({ at, how }) =>
    step(
      `webhook #${at} ${how}`,
      (world) => world.webhooks.length > 0,
      async (world, db) => {
        const report = world.pick(world.webhooks, at, how === "arrives and comes again");
        if (how !== "is lost") await tell(world, db, report);
      },
    ),
  );

const poll = fc.constantFrom("record", "record", "hold", "unavailable").map((then) =>
  step(
    `poll, then ${then}`,
    () => true,
    async (world, db) => {
      for (const { attempt, providerId } of await db.polls(10)) {
        const job = world.runpod.byId(providerId);
        expect(job.claim.attempt, "a poll names the attempt's own RunPod job").toBe(attempt);
        const report = world.runpod.reportOf(job, db.now, "poll");
        if (then === "record") await tell(world, db, report);
        else if (then === "hold") world.lookups.push(report);
      }
    },
  ),
);

const lateLookup = index.map((at) =>
  step(
    `held poll #${at} is recorded`,
    (world) => world.lookups.length > 0,
    (world, db) => tell(world, db, world.pick(world.lookups, at)),
  ),
);

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

const cancel = target.map((which) =>
  step(
    describeTarget(which, "cancels"),
    (world) => world.jobs.length > 0,
    async (world, db) => {
      const { job, refusal } = await ask(world, db, which, "cancel");
      expect(refusal).toBe(which.byStranger ? "PB005" : null);
      if (refusal === null) world.canceled.add(job.id);
    },
  ),
);

const retry = target.map((which) =>
  step(
    describeTarget(which, "retries"),
    (world) => world.jobs.length > 0,
    async (world, db) => {
      const { before, job, one, refusal } = await ask(world, db, which, "retry");
      const ended = ["failed", "canceled"].includes((one ?? job).status) && job.status !== "completed";
      expect(refusal).toBe(which.byStranger ? "PB005" : ended ? null : "PB006");
      if (refusal === null) world.reopen(job.id, before);
    },
  ),
);

const cancels = fc.constantFrom("record", "record", "crash before", "crash after").map((how) =>
  step(
    `cancels at RunPod, ${how}`,
    () => true,
    async (world, db) => {
      const due = await db.cancels(10);
      if (how === "crash before") return;
      for (const each of due) world.runpod.cancel(world.runpod.byId(each.providerId), db.now);
      if (how === "record" && due.length > 0) await db.recordCancels(due.map((each) => each.attempt));
    },
  ),
);

const forged = index.map((at) =>
  step(
    `a forged report of attempt #${at}`,
    (world) => world.claims.length > 0,
    async (world, db) => {
      const { attempt, kind, task } = world.pick(world.claims, at, true);
      const report = { attempt, kind, task, source: "webhook", status: "COMPLETED", token: "0" } as const;
      expect(await db.report(report)).toEqual({ verdict: "unauthorized", proceed: false, claims: [] });
    },
  ),
);

const tick = fc.constant(
  step(
    "tick",
    () => true,
    (_, db) => db.tick(),
  ),
);

const SECONDS = [1, 10, 31, 31, 125, 125, 400, 700, 2400, 3700];
const jump = fc.constantFrom(...SECONDS).map((seconds) =>
  step(
    `${seconds} s pass`,
    () => true,
    (_, db) => {
      db.now += seconds * 1000;
    },
  ),
);

const weighted: [number, fc.Arbitrary<Command>][] = [
  [4, submit],
  [2, claim],
  [6, postOne],
  [1, crash],
  [3, record],
  [6, start],
  [2, tellProgress],
  [5, finish],
  [2, fail],
  [1, requeue],
  [6, webhook],
  [3, poll],
  [2, lateLookup],
  [1, cancel],
  [1, retry],
  [2, cancels],
  [1, forged],
  [4, tick],
  [4, jump],
];

/** All that can happen, each as often as its weight. */
export const commands: fc.Arbitrary<Command>[] = weighted.flatMap(([weight, arbitrary]) =>
  Array.from({ length: weight }, () => arbitrary),
);
