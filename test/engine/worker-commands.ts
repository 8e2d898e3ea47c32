import fc from "fast-check";
import { end, progress, startAsking, startUnasked, tell } from "./actions.ts";
import { index, sometimes, step } from "./step.ts";
import type { World } from "./world.ts";

/** A worker takes a job out of RunPod's queue. */
export const start = fc
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

/** A worker tells its progress. */
export const tellProgress = fc
  .record({ at: index, seq: fc.nat(5), percent: fc.nat(100) })
  .map(({ at, seq, percent }) =>
    step(`worker of #${at} tells ${percent} % (seq ${seq})`, running, (world, db) =>
      progress(world, db, world.pick(world.runpod.in(db.now, "IN_PROGRESS"), at), seq, percent / 100),
    ),
  );

/** A handler returns, its artifact uploaded or not. */
export const finish = fc
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

/** A handler or its worker fails. */
export const fail = fc
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

/** RunPod lost the worker and will try another. */
export const requeue = index.map((at) =>
  step(`RunPod puts job #${at} back into its queue`, running, (world, db) => {
    world.pick(world.runpod.in(db.now, "IN_PROGRESS"), at).status = "IN_QUEUE";
  }),
);

/** A webhook arrives in any order, once, twice or never. */
export const webhook = fc
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
