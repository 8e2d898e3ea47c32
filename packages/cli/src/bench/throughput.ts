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
  /** Which prepared database the repetitions are copies of. */
  template: string;
  /** Null: this engine has no such call. */
  engine: Step | null;
  floor: Step;
  /** Before either is measured. */
  prepare?: (sql: Sql) => Promise<unknown>;
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

/** Part of the jobs that warm plans and caches up before each measurement. */
const WARM_UP = 0.1;

/**
 * Measures cells side by side: every repetition is a fresh copy of the cell's database, in which engine and floor take
 * turns to be first, so that noise of the machine hits both.
 */
export async function measureCell(server: BenchServer, cell: Cell, repetitions: number): Promise<CellFigures> {
  const engine: number[] = [];
  const floor: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    await server.copy(cell.template, "bench_run");
    try {
      await using(server.connect("bench_run", cell.clients), async (clients) => {
        await cell.prepare?.(clients[0] as Sql);
        const turns: [Step | null, number[]][] = [
          [cell.engine, engine],
          [cell.floor, floor],
        ];
        if (repetition % 2 === 1) turns.reverse();
        for (const [step, rates] of turns) if (step) rates.push(await rateOf(clients, step, cell.jobs));
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

/** Jobs a second that the clients get done together, after a warm-up. */
async function rateOf(clients: Sql[], step: Step, jobs: number): Promise<number> {
  await runClients(clients, step, Math.ceil(jobs * WARM_UP));
  const started = performance.now();
  const done = await runClients(clients, step, jobs);
  if (done < jobs * 0.9) throw new Error(`only ${done} of ${jobs} jobs could be done`);
  return (done / (performance.now() - started)) * 1000;
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
