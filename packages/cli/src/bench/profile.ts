import type { Sql } from "postgres";
import { runLifecycles } from "./lifecycle.ts";
import { type BenchServer, using } from "./server.ts";

/** One statement inside the engine's functions. */
export interface StatementCost {
  /** Its text, spaces squeezed, cut. */
  statement: string;
  callsPerJob: number;
  msPerJob: number;
  walBytesPerJob: number;
}

/** What a lifecycle spends its time on, dearest first, by pg_stat_statements. Adding that up slows it all, so only parts count. */
export async function profileLifecycle(
  server: BenchServer,
  database: string,
  jobs: number,
): Promise<StatementCost[]> {
  await server.copy(database, "bench_profile");
  const costs = await using(server.connect("bench_profile", 1), async ([first]) => {
    const sql = first as Sql;
    await runLifecycles(sql, 20);
    await sql`set pg_stat_statements.track = 'all'`;
    await sql`select extensions.pg_stat_statements_reset()`;
    await runLifecycles(sql, jobs);
    await sql`set pg_stat_statements.track = 'none'`;
    return sql<StatementCost[]>`
      select left(regexp_replace(query, '\\s+', ' ', 'g'), 160) as statement,
        (calls / ${jobs}::float) as "callsPerJob", total_exec_time / ${jobs}::float as "msPerJob",
        (wal_bytes / ${jobs}::float)::float as "walBytesPerJob"
      from extensions.pg_stat_statements s join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and calls >= ${jobs / 2}
      order by total_exec_time desc limit 25`;
  });
  await server.drop("bench_profile");
  return [...costs];
}
