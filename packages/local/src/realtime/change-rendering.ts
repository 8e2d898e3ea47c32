import type postgres from "postgres";
import type { Column, Table } from "./catalog.ts";
import type { RowChange } from "./feed.ts";
import { type Filter, filterSql, hasParameter } from "./filters.ts";
import type { Tuple } from "./pgoutput.ts";

/** Columns a change tells of, by name, as Postgres prints them. */
export type Values = Map<string, string | null>;

/** A change's new and old row as JSON texts by column, and which filters it passes. */
export interface Rendered {
  row: Map<string, string>;
  old: Map<string, string>;
  passes: (filter: Filter) => boolean;
}

/**
 * The row after the change. A TOAST value that stayed as it was comes from the replica identity or is left out; other
 * columns of an old key read as null, which means nothing.
 */
export function newValues({ relation, row, old }: RowChange): Values {
  if (!row) return new Map();
  const complete = row.map((value, index) =>
    value === undefined && relation.columns[index]?.key ? old?.[index] : value,
  );
  return named(relation.columns, complete);
}

/** The replica identity before the change: the primary key, or the row with `replica identity full`. */
export function oldValues({ type, relation, row, old }: RowChange): Values {
  if (type === "INSERT") return new Map();
  const identity = relation.columns.map((column) => column.key);
  return named(
    relation.columns,
    (old ?? row ?? []).map((value, index) => (identity[index] ? value : undefined)),
  );
}

function named(columns: { name: string }[], tuple: Tuple): Values {
  const values: Values = new Map();
  columns.forEach(({ name }, index) => {
    const value = tuple[index];
    if (value !== undefined) values.set(name, value);
  });
  return values;
}

/** `to_jsonb` of a bytea, as hosted Realtime's feed prints it: hexadecimal without `\x`. */
const bytea = (value: string | null): string => JSON.stringify(value?.replace(/^\\x/, "") ?? null);

/**
 * Lets Postgres print the values as JSON and decide the filters, in one statement. Filters look at the new row or, at
 * a DELETE, at the old; one on a column the change doesn't tell of fails.
 */
export async function renderChange(
  sql: postgres.Sql,
  table: Table,
  change: { type: RowChange["type"]; row: Values; old: Values },
  filters: Filter[],
): Promise<Rendered> {
  const parameters: (string | null)[] = [];
  const bind = (value: string | null) => `$${parameters.push(value)}`;
  const outputs: string[] = [];
  const row = new Map<string, string>();
  const old = new Map<string, string>();
  const passing = new Set<string>();
  const receivers: ((result: string | boolean | null) => void)[] = [];

  const jsonOf = (values: Values, column: Column, target: Map<string, string>) => {
    const value = values.get(column.name);
    if (value === undefined) return;
    if (column.type === "pg_catalog.bytea") return target.set(column.name, bytea(value));
    // Null is sent too, so that all changes of a table are rendered by one prepared statement.
    outputs.push(`to_jsonb(${bind(value)}::text::${column.type})::text`);
    receivers.push((result) => target.set(column.name, String(result)));
  };
  for (const column of table.columns) {
    jsonOf(change.row, column, row);
    jsonOf(change.old, column, old);
  }
  const looked = change.type === "DELETE" ? change.old : change.row;
  for (const filter of filters) {
    const column = table.columns.find(({ name }) => name === filter.column);
    const value = looked.get(filter.column);
    if (!column || value === undefined) continue;
    const parameter = hasParameter(filter) ? bind(filter.value) : "";
    outputs.push(filterSql(filter, `${bind(value)}::text::${column.type}`, column.type, parameter));
    receivers.push((result) => result === true && passing.add(JSON.stringify(filter)));
  }
  if (outputs.length > 0) {
    const query = sql.unsafe(`select ${outputs.join(", ")}`, parameters, { prepare: true });
    const [results] = await query.values();
    for (const [index, receive] of receivers.entries()) receive(results?.[index]);
  }
  return { row, old, passes: (filter) => passing.has(JSON.stringify(filter)) };
}
