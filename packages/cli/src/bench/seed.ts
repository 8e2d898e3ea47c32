import type { Sql } from "postgres";
import { USERS } from "./payload.ts";

/** How the copies of a job differ: SQL expressions over the row `r` and the copy's number `g`, by column name. */
export type Differences = Record<string, string>;

/** Columns that lead from a row to the job it belongs to. */
const LINKS = ["job_id", "task_id", "attempt_id"];

/**
 * Copies one job, made by the engine itself, `count` times with all its rows in schemas podbase and podbase_private:
 * every uuid gets the copy's number as its first eight digits, so references stay right, and users go round. Set-based
 * and without triggers, so a million jobs take minutes, and right for whatever columns the schema has. Superuser only.
 */
export async function copyJob(
  sql: Sql,
  job: string,
  count: number,
  differences: Differences = {},
): Promise<void> {
  if (count === 0) return;
  const ids = await idsOf(sql, job);
  const tables = await sql<{ name: string; links: string[]; columns: { name: string; type: string }[] }[]>`
    select format('%I.%I', n.nspname, c.relname) as name,
      array_agg(a.attname::text) filter (where a.attname = any (${LINKS})
        or (a.attname = 'id' and c.oid = 'podbase.jobs'::regclass)) as links,
      jsonb_agg(jsonb_build_object('name', a.attname, 'type', a.atttypid::regtype) order by a.attnum)
        filter (where a.attidentity = '' and a.attgenerated = '') as columns
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where n.nspname in ('podbase', 'podbase_private') and c.relkind in ('r', 'p') and not c.relispartition
    group by n.nspname, c.relname, c.oid
    having bool_or(a.attname = any (${LINKS}) or c.oid = 'podbase.jobs'::regclass)`;
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    for (const { name, links, columns } of tables) {
      const names = columns.map((column) => `"${column.name}"`).join(", ");
      const values = columns.map((column) => differences[column.name] ?? copied(column)).join(", ");
      await tx.unsafe(
        `insert into ${name} (${names}) select ${values} from ${name} r, generate_series(1, ${count}) g
         where ${links.map((link) => `r."${link}" = any ($1::uuid[])`).join(" or ")}`,
        [ids],
      );
    }
  });
}

async function idsOf(sql: Sql, job: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select ${job}::uuid as id
    union all select id from podbase.tasks where job_id = ${job}
    union all select id from podbase_private.attempts where job_id = ${job}`;
  return rows.map((row) => row.id);
}

function copied({ name, type }: { name: string; type: string }): string {
  if (name === "user_id") return `('00000000-0000-4000-8000-' || lpad(to_hex(g % ${USERS}), 12, '0'))::uuid`;
  if (type === "uuid") return `(lpad(to_hex(g), 8, '0') || substr(r."${name}"::text, 9))::uuid`;
  if (name === "provider_id") return `g || '-' || r.provider_id`;
  if (name === "created_at") return "r.created_at - g * interval '10 ms'";
  return `r."${name}"`;
}
