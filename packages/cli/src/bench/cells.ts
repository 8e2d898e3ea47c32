import type { Claim } from "@podbase/core";
import type { Sql } from "postgres";
import { engine, type Features } from "./engine-calls.ts";
import { floor, stockFloor } from "./floor.ts";
import { USERS, userId } from "./payload.ts";
import { queueJobs } from "./stock.ts";
import type { Cell, Step } from "./throughput.ts";

/** Everything that is measured beside the floor. `size` scales the numbers of jobs, 1 being a full run. */
export function cells(features: Features, size: number): Cell[] {
  const jobs = (full: number) => Math.max(100, Math.round(full * size));
  return [
    submitCell(1, jobs(800)),
    submitCell(16, jobs(2400)),
    submitManyCell(jobs(10_000), features),
    consumeCell(1, 1, jobs(500), features),
    consumeCell(8, 1, jobs(1200), features),
    consumeCell(1, 100, jobs(1500), features),
    consumeCell(8, 100, jobs(4000), features),
    {
      name: "lifecycle one by one",
      clients: 1,
      jobs: jobs(400),
      engine: engineLifecycle,
      floor: floorLifecycle,
    },
    {
      name: "lifecycle one by one",
      clients: 8,
      jobs: jobs(1200),
      engine: engineLifecycle,
      floor: floorLifecycle,
    },
    {
      name: "bulk in, single webhooks",
      clients: 8,
      batch: 100,
      jobs: jobs(2400),
      engine: engineBulkIn(100, features),
      floor: floorBulkIn(100),
    },
  ];
}

/** Submissions to a full endpoint: the job queues, as most do under load. */
const submitCell = (clients: number, jobs: number): Cell => ({
  name: "submit",
  clients,
  jobs,
  prepare: (sql) => engine.configure(sql, false),
  engine: async (sql) => {
    await engine.submit(sql, anyUser());
    return 1;
  },
  floor: async (sql) => {
    await floor.submit(sql, anyUser());
    return 1;
  },
});

const submitManyCell = (batch: number, features: Features): Cell => ({
  name: "submit many in one call",
  clients: 1,
  batch,
  jobs: batch,
  prepare: (sql) => engine.configure(sql, false),
  engine: features.submitMany ? submitMany(batch) : null,
  floor: async (sql) => {
    await floor.submitMany(sql, batch);
    return batch;
  },
});

/** A queue is claimed and completed to its end. */
function consumeCell(clients: number, batch: number, jobs: number, features: Features): Cell {
  return {
    name: "claim → complete",
    clients,
    batch,
    jobs,
    restock: async (sql, count) => {
      await queueJobs(sql, count);
      await stockFloor(sql, { finished: 0, queued: count });
    },
    engine: engineConsumer(batch, features),
    floor: floorConsumer(batch),
  };
}

const anyUser = () => userId(Math.floor(Math.random() * USERS));

const submitMany =
  (count: number): Step =>
  async (sql) => {
    const users = Array.from({ length: count }, (_, n) => userId(n));
    await engine.submitMany(sql, users);
    return count;
  };

function engineConsumer(batch: number, features: Features): Step {
  // A report brings further claims along; whoever gets them does that work.
  const held = new WeakMap<Sql, Claim[]>();
  return async (sql) => {
    const waiting = held.get(sql) ?? [];
    if (waiting.length === 0) waiting.push(...(await engine.claim(sql, batch)));
    held.set(sql, waiting);
    const claims = waiting.splice(0, batch);
    if (claims.length === 0) return null;
    if (batch > 1 && features.reportMany) waiting.push(...(await engine.completeMany(sql, claims)));
    else for (const claim of claims) waiting.push(...(await engine.complete(sql, claim)));
    return claims.length;
  };
}

const floorConsumer =
  (batch: number): Step =>
  async (sql) => {
    const ids = await floor.claim(sql, batch);
    if (ids.length === 0) return null;
    await floor.complete(sql, ids);
    return ids.length;
  };

/**
 * Submission, acceptance and completion, each a call of its own; the engine claims as it submits. Claims may be of
 * another client's job, or none if another client took this one: over all clients it evens out.
 */
const engineLifecycle: Step = async (sql) => {
  const { claims } = await engine.submit(sql, anyUser());
  for (const claim of claims) {
    await engine.accept(sql, [claim]);
    claims.push(...(await engine.complete(sql, claim)));
  }
  return claims.length;
};

const floorLifecycle: Step = async (sql) => {
  await floor.submit(sql, anyUser());
  const ids = await floor.claim(sql, 1);
  await floor.accept(sql, ids);
  await floor.complete(sql, ids);
  return ids.length;
};

/** Jobs come in, are claimed and accepted by the batch; RunPod's webhooks come one by one. */
const engineBulkIn =
  (batch: number, features: Features): Step =>
  async (sql) => {
    let claims: Claim[] = [];
    if (features.submitMany) await submitMany(batch)(sql);
    else for (let n = 0; n < batch; n++) claims.push(...(await engine.submit(sql, anyUser())).claims);
    claims.push(...(await engine.claim(sql, batch)));
    let done = 0;
    while (claims.length > 0) {
      await engine.accept(sql, claims);
      const more: Claim[] = [];
      for (const claim of claims) more.push(...(await engine.complete(sql, claim)));
      done += claims.length;
      claims = more;
    }
    return done;
  };

const floorBulkIn =
  (batch: number): Step =>
  async (sql) => {
    await floor.submitMany(sql, batch);
    const ids = await floor.claim(sql, batch);
    await floor.accept(sql, ids);
    for (const id of ids) await floor.complete(sql, [id]);
    return ids.length;
  };
