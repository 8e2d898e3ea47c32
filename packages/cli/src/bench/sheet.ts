import { cpus } from "node:os";
import { join } from "node:path";
import type { Sql } from "postgres";
import { type Budget, judge, type Measured } from "./budgets.ts";
import { type BundleFigures, measureBundle } from "./bundle-size.ts";
import { cells } from "./cells.ts";
import { countDatabaseCalls } from "./database-calls.ts";
import { type EndToEndFigures, measureEndToEnd } from "./end-to-end.ts";
import type { Features } from "./engine-calls.ts";
import { type FairnessFigures, measureFairness } from "./fairness.ts";
import { type FootprintFigures, measureFootprint } from "./footprint.ts";
import { type GrowthFigures, measureGrowth, type Size } from "./growth.ts";
import { profileLifecycle, type StatementCost } from "./profile.ts";
import { type BenchServer, SCHEMA, startBenchServer, using } from "./server.ts";
import { stock } from "./stock.ts";
import { type CellFigures, measureCell } from "./throughput.ts";

/** Everything one run measured. Rates are jobs a second, times milliseconds. */
export interface Sheet {
  quick: boolean;
  /** ISO time of the start. */
  at: string;
  seconds: number;
  machine: { cpus: number; node: string; postgres: string };
  features: Features;
  cells: CellFigures[];
  growth: GrowthFigures[];
  footprint: FootprintFigures;
  fairness: FairnessFigures;
  /** Calls of the database for a job of one task, in order. */
  databaseCalls: string[];
  /** Null without the stack. */
  endToEnd: EndToEndFigures | null;
  bundle: BundleFigures;
  /** Statements of a lifecycle, dearest first; null unless asked for. */
  profile: StatementCost[] | null;
  budgets: Budget[];
}

/** What a run measures. */
export interface SheetOptions {
  /** Folder that holds `supabase/`. */
  projectDir: string;
  /** Small numbers, to see that it all works. */
  quick: boolean;
  /** Also over the whole stack. */
  stack: boolean;
  /** Also statement by statement. */
  profile: boolean;
  log: (line: string) => void;
  /** Gets what ends a server that was started; to be called when the run is broken off. */
  onStart: (stop: () => Promise<void>) => void;
}

interface Plan {
  /** Numbers of jobs, 1 being a full run. */
  size: number;
  repetitions: number;
  /** Finished jobs in the tables while rates are measured. */
  base: number;
  sizes: Size[];
  footprintJobs: number;
  backlog: number;
  readings: number;
  idleSeconds: number;
  profileJobs: number;
}

const EMPTY: Size = { finished: 0, deferred: 0 };
const FULL: Plan = {
  size: 1,
  repetitions: 5,
  base: 20_000,
  sizes: [EMPTY, { finished: 100_000, deferred: 100_000 }, { finished: 1_000_000, deferred: 100_000 }],
  footprintJobs: 2000,
  backlog: 10_000,
  readings: 30,
  // Two ticks of cron at least.
  idleSeconds: 25,
  profileJobs: 300,
};
const QUICK: Plan = {
  size: 0.05,
  repetitions: 2,
  base: 1000,
  sizes: [EMPTY, { finished: 20_000, deferred: 5000 }],
  footprintJobs: 200,
  backlog: 200,
  readings: 3,
  idleSeconds: 2,
  profileJobs: 50,
};

/** The database that rates are measured in copies of. */
const BASE = "bench_base";

/** Measures everything, one part after another, on servers of its own in temporary folders. */
export async function measureSheet(options: SheetOptions): Promise<Sheet> {
  const { projectDir, log } = options;
  const plan = options.quick ? QUICK : FULL;
  const at = new Date();
  log("Bundling the client …");
  const bundle = await measureBundle();
  log("Starting Postgres …");
  const server = await startBenchServer(join(projectDir, "supabase", "migrations"));
  options.onStart(server.stop);
  let database: DatabaseFigures;
  try {
    database = await measureDatabase(server, plan, options);
  } finally {
    await server.stop();
  }
  let endToEnd: EndToEndFigures | null = null;
  if (options.stack) {
    log("Running readings over the whole stack …");
    const { readings: jobs, idleSeconds } = plan;
    endToEnd = await measureEndToEnd({ projectDir, jobs, idleSeconds, onStart: options.onStart });
  }
  const measured: Measured = {
    quick: options.quick,
    at: at.toISOString(),
    seconds: Math.round((Date.now() - at.getTime()) / 1000),
    machine: { cpus: cpus().length, node: process.version, postgres: server.version },
    features: server.features,
    ...database,
    endToEnd,
    bundle,
  };
  return { ...measured, budgets: judge(measured) };
}

type DatabaseFigures = Pick<
  Sheet,
  "cells" | "growth" | "footprint" | "fairness" | "databaseCalls" | "profile"
>;

async function measureDatabase(
  server: BenchServer,
  plan: Plan,
  { log, profile }: SheetOptions,
): Promise<DatabaseFigures> {
  await server.copy(SCHEMA, BASE);
  const base = { finished: plan.base, deferred: 0, queued: 0, live: 0 };
  await using(server.connect(BASE, 1), ([sql]) => stock(sql as Sql, base));
  const measuredCells: CellFigures[] = [];
  for (const cell of cells(server.features, plan.size)) {
    log(`${cell.name}, ${cell.clients} at once${cell.batch ? `, by ${cell.batch}` : ""} …`);
    measuredCells.push(await measureCell(server, BASE, cell, plan.repetitions));
  }
  log("Footprint …");
  const footprint = await measureFootprint(server, plan.footprintJobs);
  log("Fairness …");
  const fairness = await measureFairness(server, plan.backlog);
  log("Growth …");
  const growth = await measureGrowth(server, plan.sizes, log);
  return {
    cells: measuredCells,
    growth,
    footprint,
    fairness,
    databaseCalls: await countDatabaseCalls(server),
    profile: profile ? await profileLifecycle(server, BASE, plan.profileJobs) : null,
  };
}
