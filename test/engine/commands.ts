import fc from "fast-check";
import { expect } from "vitest";
import { type PostAnswer, post, tell } from "./actions.ts";
import { cancel, retry, submit } from "./owner-commands.ts";
import { type Command, index, sometimes, step } from "./step.ts";
import { fail, finish, requeue, start, tellProgress, webhook } from "./worker-commands.ts";

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
        await post(world, db, world.pick(world.claimed, at), answer);
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
