import type { Sql } from "postgres";
import { engine } from "./engine-calls.ts";
import { userId } from "./payload.ts";
import { type BenchServer, SCHEMA, using } from "./server.ts";
import { type Spread, spread } from "./statistics.ts";
import { stock } from "./stock.ts";

/** How much a database holds. */
export interface Size {
  finished: number;
  deferred: number;
}

/** Milliseconds a call at one size, and how many times those of the empty tables. */
export interface GrowthFigures extends Size {
  operation: string;
  ms: Spread;
  ratio: Spread;
}

const CALLS = 40;
const ROUNDS = 5;
const WARM_UP = 20;

const OPERATIONS: {
  name: string;
  prepare: (sql: Sql) => Promise<unknown>;
  call: (sql: Sql) => Promise<unknown>;
}[] = [
  {
    name: "claim polls",
    // By the engine's clock everything at RunPod is due, what was put off by weeks is not.
    prepare: (sql) => sql`select set_config('podbase.now', (now() + interval '1 hour')::text, false)`,
    call: (sql) => some(engine.claimPolls(sql, 1)),
  },
  {
    name: "claim",
    prepare: (sql) => sql`select set_config('podbase.now', '', false)`,
    call: (sql) => some(engine.claim(sql, 1)),
  },
  {
    name: "submit",
    prepare: (sql) => engine.configure(sql, false),
    call: (sql) => engine.submit(sql, userId(Math.floor(Math.random() * 1000))),
  },
];

async function some(claims: Promise<unknown[]>): Promise<void> {
  if ((await claims).length === 0) throw new Error("there was nothing left to claim");
}

/** What calls cost as the tables grow. The first size is what the others are compared with; they take turns. */
export async function measureGrowth(
  server: BenchServer,
  sizes: Size[],
  log: (line: string) => void,
): Promise<GrowthFigures[]> {
  const names = sizes.map((_, i) => `bench_grown_${i}`);
  const enough = WARM_UP + CALLS * ROUNDS;
  for (const [i, size] of sizes.entries()) {
    const name = names[i] as string;
    await server.copy(SCHEMA, name);
    const started = performance.now();
    await using(server.connect(name, 1), ([sql]) =>
      stock(sql as Sql, { ...size, queued: enough, live: enough }),
    );
    log(`${size.finished} finished and ${size.deferred} deferred jobs made in ${seconds(started)} s`);
  }
  const sessions = names.map((name) => server.connect(name, 1)[0] as Sql);
  const figures = await using(sessions, async ([first]) => {
    // Or calls would write out what the making of the rows left in memory.
    await (first as Sql)`checkpoint`;
    const all: GrowthFigures[] = [];
    for (const operation of OPERATIONS) all.push(...(await measureOperation(operation, sizes, sessions)));
    return all;
  });
  for (const name of names) await server.drop(name);
  return figures;
}

async function measureOperation(
  { name, prepare, call }: (typeof OPERATIONS)[number],
  sizes: Size[],
  sessions: Sql[],
): Promise<GrowthFigures[]> {
  const perCall: number[][] = sizes.map(() => []);
  for (const sql of sessions) {
    await prepare(sql);
    for (let i = 0; i < WARM_UP; i++) await call(sql);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, sql] of sessions.entries()) {
      const started = performance.now();
      for (let n = 0; n < CALLS; n++) await call(sql);
      perCall[i]?.push((performance.now() - started) / CALLS);
    }
  }
  return sizes.map((size, i) => {
    const own = perCall[i] as number[];
    const empty = perCall[0] as number[];
    return {
      ...size,
      operation: name,
      ms: spread(own),
      ratio: spread(own.map((ms, round) => ms / (empty[round] as number))),
    };
  });
}

const seconds = (started: number) => ((performance.now() - started) / 1000).toFixed(1);
