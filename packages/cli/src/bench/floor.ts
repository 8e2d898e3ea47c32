import type { Sql } from "postgres";
import { INPUT, OUTPUT, userId } from "./payload.ts";

/**
 * The floor: what a bare queue table costs on the same server. One row a job, one partial index, claiming with
 * `for update skip locked`, and nothing of what the engine adds: no tasks, attempts, tokens, history or broadcast.
 */
export const FLOOR_SQL = `
  create schema bench_floor;
  create table bench_floor.jobs (
    id uuid primary key default gen_random_uuid(),
    position bigint generated always as identity,
    user_id uuid not null,
    status text not null default 'queued',
    input jsonb not null,
    output jsonb,
    created_at timestamptz not null default now(),
    claimed_at timestamptz,
    finished_at timestamptz
  );
  create index jobs_queued on bench_floor.jobs (position) where status = 'queued';
`;

/** Puts rows in: `finished` ones and `queued` ones. */
export async function stockFloor(
  sql: Sql,
  { finished, queued }: { finished: number; queued: number },
): Promise<void> {
  await sql`
    insert into bench_floor.jobs (user_id, status, input, output, claimed_at, finished_at)
    select ${userId(0)}, case when g <= ${finished} then 'completed' else 'queued' end, ${sql.json(INPUT)},
      case when g <= ${finished} then ${sql.json(OUTPUT)}::jsonb end,
      case when g <= ${finished} then now() end, case when g <= ${finished} then now() end
    from generate_series(1, ${finished + queued}::int) g`;
}

/** The floor's calls, each one statement and one transaction. */
export const floor = {
  async submit(sql: Sql, user: string): Promise<void> {
    await sql`insert into bench_floor.jobs (user_id, input) values (${user}, ${sql.json(INPUT)}) returning id`;
  },

  async submitMany(sql: Sql, count: number): Promise<void> {
    await sql`
      insert into bench_floor.jobs (user_id, input)
      select (r ->> 'user')::uuid, r -> 'input'
      from jsonb_array_elements(${sql.json(
        Array.from({ length: count }, (_, n) => ({ user: userId(n), input: INPUT })),
      )}) r`;
  },

  async claim(sql: Sql, limit: number): Promise<string[]> {
    // A literal limit: with a parameter the planner guesses a tenth of the table.
    const rows = await sql<{ id: string }[]>`
      with picked as materialized (
        select id from bench_floor.jobs where status = 'queued'
        order by position limit ${sql.unsafe(String(limit))} for update skip locked
      )
      update bench_floor.jobs j set status = 'claimed', claimed_at = now()
      from picked where j.id = picked.id returning j.id, j.input`;
    return rows.map((row) => row.id);
  },

  async accept(sql: Sql, ids: string[]): Promise<void> {
    await sql`update bench_floor.jobs set status = 'running' where id = any (${ids}::uuid[])`;
  },

  async complete(sql: Sql, ids: string[]): Promise<void> {
    await sql`
      update bench_floor.jobs set status = 'completed', output = ${sql.json(OUTPUT)}, finished_at = now()
      where id = any (${ids}::uuid[])`;
  },
};
