import type postgres from "postgres";
import { readTables, type Table } from "./catalog.ts";
import { type Filter, filterProbeSql, hasParameter } from "./filters.ts";
import type { Subscription } from "./join-request.ts";
import { isStatementError } from "./statement-error.ts";

/** A subscription that the database can't serve, in hosted Realtime's words. */
export class SubscribeError extends Error {
  override name = "SubscribeError";
}

/**
 * Checks that the publication has the tables, and that `role` may filter by and select the columns asked for.
 * Throws SubscribeError; other errors mean the database didn't answer.
 */
export async function checkSubscriptions(
  sql: postgres.Sql,
  publication: string,
  role: string,
  subscriptions: Subscription[],
): Promise<void> {
  for (const subscription of subscriptions) {
    const asked = describe(subscription);
    const oids = await publishedTables(sql, publication, subscription);
    if (oids.length === 0)
      throw new SubscribeError(
        `Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: [${asked}]`,
      );
    try {
      for (const table of await readTables(sql, oids, [role]))
        await checkTable(sql, table, role, subscription);
    } catch (error) {
      if (!(error instanceof SubscribeError || isStatementError(error))) throw error;
      throw new SubscribeError(
        `Unable to subscribe to changes with given parameters. An exception happened so please check your connect parameters: [${asked}]. Exception: ${error.message}`,
      );
    }
  }
}

async function publishedTables(
  sql: postgres.Sql,
  publication: string,
  { schema, table }: Subscription,
): Promise<number[]> {
  const rows = await sql<{ oid: number }[]>`
    select format('%I.%I', schemaname, tablename)::regclass::oid as oid
    from pg_publication_tables
    where pubname = ${publication}
      and (${schema} = '*' or schemaname = ${schema})
      and (${table} = '*' or tablename = ${table})`;
  return rows.map((row) => row.oid);
}

async function checkTable(
  sql: postgres.Sql,
  table: Table,
  role: string,
  { filters, select }: Subscription,
): Promise<void> {
  const readable = table.columns.filter((column) => column.readers.includes(role));
  for (const filter of filters) {
    const column = readable.find(({ name }) => name === filter.column);
    if (!column) throw new SubscribeError(`invalid column for filter ${filter.column}`);
    await checkFilter(sql, filter, column.type);
  }
  for (const name of select ?? [])
    if (!readable.some((column) => column.name === name))
      throw new SubscribeError(`invalid column for select ${name}`);
}

async function checkFilter(sql: postgres.Sql, filter: Filter, type: string): Promise<void> {
  const values = hasParameter(filter) ? [filter.value] : [];
  const [row] = await sql.unsafe(filterProbeSql(filter, type, "$1"), values);
  if (row?.too_many) throw new SubscribeError("too many values for `in` filter. Maximum 100");
}

function describe({ event, schema, table, filters, select }: Subscription): string {
  const conditions = filters.map(({ column, operator, value, negate }) =>
    JSON.stringify([column, operator, value, negate]),
  );
  return `event: ${event}, schema: ${schema}, table: ${table}, filters: [${conditions}], select: ${JSON.stringify(select)}`;
}
