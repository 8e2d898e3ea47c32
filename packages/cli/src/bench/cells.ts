import type { Claim } from "@podbase/core";
import type { Sql } from "postgres";
import { engine, type Features } from "./engine-calls.ts";
import { floor } from "./floor.ts";
import { userId } from "./payload.ts";
import type { Cell, Step } from "./throughput.ts";

/** The prepared databases: with finished jobs only, and with queued ones too. */
export const BASE = "bench_base";
export const STOCKED = "bench_stocked";

/** How much the stocked database must have queued, and all cells. `size` scales the numbers of jobs. */
export function cells(features: Features, size: number): { cells: Cell[]; queued: number } {
  const jobs = (full: number) => Math.max(40, Math.round(full * size));
  const bulk = jobs(10_000);
  const list: Cell[] = [
    ...[1, 16].map(
      (clients): Cell => ({
        name: "submit",
        clients,
        jobs: jobs(clients === 1 ? 1500 : 4000),
        template: BASE,
        // A full endpoint: the job queues, as most do under load.
        prepare: (sql) => engine.configure(sql, false),
        engine: async (sql) => {
          await engine.submit(sql, anyUser());
          return 1;
        },
        floor: async (sql) => {
          await floor.submit(sql, anyUser());
          return 1;
        },
      }),
    ),
    {
      name: "submit many in one call",
      clients: 1,
      batch: bulk,
      jobs: bulk,
      template: BASE,
      prepare: (sql) => engine.configure(sql, false),
      engine: features.submitMany ? submitMany(bulk) : null,
      floor: async (sql) => {
        await floor.submitMany(sql, bulk);
        return bulk;
      },
    },
    ...[1, 100].flatMap((batch) =>
      [1, 8].map(
        (clients): Cell => ({
          name: "claim → complete",
          clients,
          batch,
          jobs: jobs((batch === 1 ? 800 : 2500) * (clients === 1 ? 1 : 2.5)),
          template: STOCKED,
          engine: engineConsumer(batch, features),
          floor: floorConsumer(batch),
        }),
      ),
    ),
    ...[1, 8].map(
      (clients): Cell => ({
        name: "lifecycle one by one",
        clients,
        jobs: jobs(clients === 1 ? 600 : 1500),
        template: BASE,
        engine: engineLifecycle,
        floor: floorLifecycle,
      }),
    ),
    {
      name: "bulk in, single webhooks",
      clients: 8,
      batch: 100,
      jobs: jobs(4000),
      template: BASE,
      engine: engineBulkIn(100, features),
      floor: floorBulkIn(100),
    },
  ];
  const consumed = list.filter((cell) => cell.template === STOCKED);
  // Warm-ups take some, and the last batch of every client overshoots.
  const queued = Math.max(...consumed.map((cell) => cell.jobs * 1.2 + 2 * cell.clients * (cell.batch ?? 1)));
  return { cells: list, queued: Math.ceil(queued) };
}

const anyUser = () => userId(Math.floor(Math.random() * 1000));

const submitMany =
  (count: number): Step =>
  async (sql) => {
    await engine.submitMany(
      sql,
      Array.from({ length: count }, (_, n) => userId(n)),
    );
    return count;
  };

const engineConsumer =
  (batch: number, features: Features): Step =>
  async (sql) => {
    const claims = await engine.claim(sql, batch);
    if (claims.length === 0) return null;
    if (batch > 1 && features.reportMany) await engine.completeMany(sql, claims);
    else for (const claim of claims) await engine.complete(sql, claim);
    return claims.length;
  };

const floorConsumer =
  (batch: number): Step =>
  async (sql) => {
    const ids = await floor.claim(sql, batch);
    if (ids.length === 0) return null;
    await floor.complete(sql, ids);
    return ids.length;
  };

/** Submission, claim, acceptance and completion of a job, each a call of its own; the engine claims as it submits. */
const engineLifecycle: Step = async (sql) => {
  let { claims } = await engine.submit(sql, anyUser());
  // Another client's submission may have taken this job, and its client finishes it.
  if (claims.length === 0) claims = await engine.claim(sql, 1);
  for (const claim of claims) {
    await engine.accept(sql, [claim]);
    await engine.complete(sql, claim);
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
  async (sql: Sql) => {
    const claims: Claim[] = [];
    if (features.submitMany) await submitMany(batch)(sql);
    else for (let n = 0; n < batch; n++) claims.push(...(await engine.submit(sql, anyUser())).claims);
    claims.push(...(await engine.claim(sql, batch)));
    await engine.accept(sql, claims);
    for (const claim of claims) await engine.complete(sql, claim);
    return claims.length;
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
