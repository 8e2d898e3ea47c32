import type { Sql } from "postgres";
import { type BenchServer, using } from "./server.ts";
import { type Spread, spread } from "./statistics.ts";

/** One unit of work of one client; gives the number of jobs it did, null when there is nothing left to do. */
export type Step = (sql: Sql) => Promise<number | null>;

/** The same work done by the engine and by the floor. */
export interface Cell {
  name: string;
  clients: number;
  /** Jobs a call, where the calls take many. */
  batch?: number;
  /** Jobs of one measured repetition. */
  jobs: number;
  /** Null: this engine has no such call. */
  engine: Step | null;
  floor: Step;
  /** Before anything else. */
  prepare?: (sql: Sql) => Promise<unknown>;
  /** Fills both queues with so many jobs; the steps then go on until nothing is left. */
  restock?: (sql: Sql, jobs: number) => Promise<unknown>;
}

/** Jobs a second, and the engine's part of the floor's, taken within each repetition. */
export interface CellFigures {
  name: string;
  clients: number;
  batch?: number;
  engine: Spread | null;
  floor: Spread;
  ratio: Spread | null;
}

/** A session plans its first calls anew; so many jobs of each client, or a tenth of all, come before the clock starts. */
const WARM_UP_PER_CLIENT = 20;

/**
 * Measures a cell: every repetition is a fresh copy of `database`, in which engine and floor take turns to be first, so
 * that the machine's noise hits both.
 */
export async function measureCell(
  server: BenchServer,
  database: string,
  cell: Cell,
  repetitions: number,
): Promise<CellFigures> {
  const engine: number[] = [];
  const floor: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    await server.copy(database, "bench_run");
    try {
      await using(server.connect("bench_run", cell.clients), async (clients) => {
        const sides: Side[] = [{ step: cell.floor, rates: floor }];
        if (cell.engine) sides.push({ step: cell.engine, rates: engine });
        await measureOnce(clients, cell, repetition % 2 === 0 ? sides : sides.toReversed());
      });
    } finally {
      await server.drop("bench_run");
    }
  }
  const { name, clients, batch } = cell;
  return {
    name,
    clients,
    ...(batch === undefined ? {} : { batch }),
    engine: cell.engine ? spread(engine) : null,
    floor: spread(floor),
    ratio: cell.engine ? spread(engine.map((rate, i) => rate / (floor[i] as number))) : null,
  };
}

interface Side {
  step: Step;
  rates: number[];
}

async function measureOnce(clients: Sql[], cell: Cell, sides: Side[]): Promise<void> {
  const sql = clients[0] as Sql;
  await cell.prepare?.(sql);
  const warmUp = Math.max(WARM_UP_PER_CLIENT * clients.length, Math.ceil(cell.jobs / 10));
  await cell.restock?.(sql, warmUp);
  for (const { step } of sides) await runClients(clients, step, warmUp);
  await cell.restock?.(sql, cell.jobs);
  await sql`vacuum analyze`;
  for (const { step, rates } of sides) {
    const started = performance.now();
    const done = await runClients(clients, step, cell.restock ? Number.POSITIVE_INFINITY : cell.jobs);
    if (done < cell.jobs) throw new Error(`${cell.name}: only ${done} of ${cell.jobs} jobs could be done`);
    rates.push((done / (performance.now() - started)) * 1000);
  }
}

async function runClients(clients: Sql[], step: Step, jobs: number): Promise<number> {
  let done = 0;
  await Promise.all(
    clients.map(async (sql) => {
      while (done < jobs) {
        const more = await step(sql);
        if (more === null) break;
        done += more;
      }
    }),
  );
  return done;
}
