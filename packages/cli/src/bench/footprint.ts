import type { Sql } from "postgres";
import { runLifecycles } from "./lifecycle.ts";
import { type BenchServer, SCHEMA, using } from "./server.ts";
import { median } from "./statistics.ts";

/** What a finished job of one task leaves behind, and what an idle system costs. */
export interface FootprintFigures {
  /** Write-ahead log of a whole lifecycle, in bytes. */
  walBytesPerLifecycle: number;
  /** Rows and indexes of the engine without dead space, in bytes a finished job. */
  bytesPerFinishedJob: number;
  /** The same by table, indexes included. */
  bytesByTable: Record<string, number>;
  /** With the dead space that updates left before any vacuum. */
  bytesBeforeVacuum: number;
  /** Broadcast messages, which Supabase drops after three days. */
  realtimeBytesPerJob: number;
  /** Milliseconds of `tick()` with nothing to do, median. */
  idleTickMs: number;
}

const TICKS = 100;

/** Runs `jobs` lifecycles in a fresh database and looks at what they left. */
export async function measureFootprint(server: BenchServer, jobs: number): Promise<FootprintFigures> {
  await server.copy(SCHEMA, "bench_footprint");
  const figures = await using(server.connect("bench_footprint", 1), async (clients) => {
    const sql = clients[0] as Sql;
    await runLifecycles(sql, Math.ceil(jobs / 10));
    await compact(sql);
    const before = await sizes(sql);
    const walBefore = await walPosition(sql);
    await runLifecycles(sql, jobs);
    const wal = (await walPosition(sql)) - walBefore;
    const grown = await sizes(sql);
    await compact(sql);
    const after = await sizes(sql);

    const perJob = (table: string, now: Map<string, number>) =>
      ((now.get(table) ?? 0) - (before.get(table) ?? 0)) / jobs;
    const own = [...after.keys()].filter((table) => table.startsWith("podbase"));
    const sum = (now: Map<string, number>) => own.reduce((total, table) => total + perJob(table, now), 0);
    const bytes = own.map((table): [string, number] => [table, Math.round(perJob(table, after))]);
    return {
      walBytesPerLifecycle: Math.round(wal / jobs),
      bytesPerFinishedJob: Math.round(sum(after)),
      bytesByTable: Object.fromEntries(bytes.filter(([, size]) => size > 0).sort((a, b) => b[1] - a[1])),
      bytesBeforeVacuum: Math.round(sum(grown)),
      realtimeBytesPerJob: Math.round(perJob("realtime.messages", after)),
      idleTickMs: await idleTick(sql),
    };
  });
  await server.drop("bench_footprint");
  return figures;
}

async function idleTick(sql: Sql): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < TICKS; n++) {
    const started = performance.now();
    await sql`select podbase_private.tick()`;
    times.push(performance.now() - started);
  }
  return median(times);
}

async function walPosition(sql: Sql): Promise<number> {
  const [row] = await sql<{ bytes: string }[]>`select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes`;
  return Number(row?.bytes);
}

const TABLES = `
  select n.nspname || '.' || c.relname as name, pg_total_relation_size(c.oid)::int as bytes
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and (n.nspname in ('podbase', 'podbase_private')
    or n.nspname = 'realtime' and c.relname like 'messages%')`;

async function sizes(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.unsafe<{ name: string; bytes: number }[]>(TABLES);
  return new Map(rows.map((row) => [row.name, row.bytes]));
}

async function compact(sql: Sql): Promise<void> {
  for (const { name } of await sql.unsafe<{ name: string }[]>(TABLES))
    await sql.unsafe(`vacuum full ${name}`);
}
