import type postgres from "postgres";
import { asClaims } from "../as-claims.ts";
import type { Claims } from "../context.ts";
import { type Column, identifier, readTables, type Table } from "./catalog.ts";
import { newValues, oldValues, type Rendered, renderChange, type Values } from "./change-rendering.ts";
import type { RowChange } from "./feed.ts";
import type { Subscription } from "./join-request.ts";
import { isStatementError } from "./statement-error.ts";

/** A subscription that matches a change by event and table, and who holds it. */
export interface Watcher<Channel> {
  channel: Channel;
  subscription: Subscription;
  claims: Claims;
}

/** One `postgres_changes` message: `data` is JSON text. */
export interface Delivery<Channel> {
  channel: Channel;
  ids: number[];
  data: string;
}

const LARGEST_CHANGE_BYTES = 1024 * 1024;
const LARGEST_FIELD_BYTES_THEN = 64;

/**
 * Who gets to see a change, and what of it, as hosted Realtime's `realtime.apply_rls` decides: columns the role may
 * select; rows its policies show it, asked once for each distinct set of claims. Rejects when the database fails.
 */
export async function evaluateChange<Channel>(
  sql: postgres.Sql,
  change: RowChange,
  watchers: Watcher<Channel>[],
  log: (message: string) => void,
): Promise<Delivery<Channel>[]> {
  const roles = [...new Set(watchers.map(({ claims }) => claims.role))];
  const [table] = await readTables(sql, [change.relation.oid], roles);
  if (!table) return [];
  const values = { type: change.type, row: newValues(change), old: oldValues(change) };
  const filters = watchers.flatMap(({ subscription }) => subscription.filters);
  const rendering = renderChange(sql, table, values, distinct(filters));
  const isVisible = createRowCheck(sql, change, table, values.row, log);

  const decisions = watchers.map(async ({ channel, subscription, claims }) => {
    const readable = table.columns.filter((column) => column.readers.includes(claims.role));
    const readableNames = new Set(readable.map(({ name }) => name));
    if (readable.length === 0) return undefined;
    for (const filter of subscription.filters)
      if (!readableNames.has(filter.column) || !(await rendering).passes(filter)) return undefined;
    const refusal = refusalOf(change, table, readableNames);
    if (!refusal && !(await isVisible(claims))) return undefined;
    return { channel, subscription, readable, refusal };
  });
  const [rendered, decided] = await Promise.all([rendering, Promise.all(decisions)]);

  const describe = createDescriber(change, table, rendered, isTooLarge(values));
  const deliveries = new Map<Channel, Map<string, number[]>>();
  for (const decision of decided) {
    if (!decision) continue;
    const { channel, subscription, readable, refusal } = decision;
    const data = describe(subscription.select, readable, refusal);
    const byData = deliveries.get(channel) ?? new Map<string, number[]>();
    deliveries.set(channel, byData.set(data, [...(byData.get(data) ?? []), subscription.id]));
  }
  return [...deliveries].flatMap(([channel, byData]) =>
    [...byData].map(([data, ids]) => ({ channel, ids, data })),
  );
}

const distinct = <T>(items: T[]): T[] => [
  ...new Map(items.map((item) => [JSON.stringify(item), item])).values(),
];

function isTooLarge({ row, old }: { row: Values; old: Values }): boolean {
  let bytes = 0;
  for (const value of [...row.values(), ...old.values()]) bytes += Buffer.byteLength(value ?? "");
  return bytes > LARGEST_CHANGE_BYTES;
}

/** Without a primary key nobody can be shown a row, and who can't read the key can't either. */
function refusalOf(change: RowChange, table: Table, readable: Set<string>): string | undefined {
  if (change.type === "DELETE") return undefined;
  const key = table.columns.filter((column) => column.primaryKey);
  if (key.length === 0) return "Error 400: Bad Request, no primary key";
  return key.every(({ name }) => readable.has(name)) ? undefined : "Error 401: Unauthorized";
}

/** Whether claims see the row now. Nobody can be asked about a deleted row: everyone may know its key. */
function createRowCheck(
  sql: postgres.Sql,
  change: RowChange,
  table: Table,
  row: Values,
  log: (message: string) => void,
): (claims: Claims) => Promise<boolean> {
  if (!table.rls || change.type === "DELETE") return async () => true;
  const { schema, table: name } = change.relation;
  const key = table.columns.filter((column) => column.primaryKey);
  const conditions = key.map(
    (column, index) => `${identifier(column.name)} = $${index + 1}::text::${column.type}`,
  );
  const query = `select from ${identifier(schema)}.${identifier(name)} where ${conditions.join(" and ")}`;
  const parameters = key.map((column) => row.get(column.name) ?? null);
  const answers = new Map<string, Promise<boolean>>();
  return (claims) => {
    const who = JSON.stringify(claims);
    const known = answers.get(who);
    if (known) return known;
    const answer = asClaims(
      sql,
      claims,
      async (tx) => (await tx.unsafe(query, parameters, { prepare: true })).length > 0,
    ).catch((error: Error) => {
      if (!isStatementError(error)) throw error;
      log(`realtime: a policy on ${schema}.${name} failed for role ${claims.role}: ${error.message}`);
      return false;
    });
    answers.set(who, answer);
    return answer;
  };
}

/** Writes the message's `data` for the columns one may read, once for each distinct set of them. */
function createDescriber(change: RowChange, table: Table, rendered: Rendered, tooLarge: boolean) {
  const { type, relation, commitTimestamp } = change;
  const head = JSON.stringify({ schema: relation.schema, table: relation.table, type }).slice(0, -1);
  const object = (values: Map<string, string>, columns: Column[]) => {
    const fields = columns.flatMap(({ name }) => {
      const value = values.get(name);
      if (value === undefined || (tooLarge && Buffer.byteLength(value) > LARGEST_FIELD_BYTES_THEN)) return [];
      return `${JSON.stringify(name)}:${value}`;
    });
    return `{${fields.join(",")}}`;
  };
  const write = (columns: Column[], errors: string[] | null) => {
    const timestamp = JSON.stringify(commitTimestamp);
    const types = JSON.stringify(columns.map(({ name, typname }) => ({ name, type: typname })));
    // With row level security on, of a deleted row only the key is told (see `createRowCheck`).
    const keyOnly = type === "DELETE" && table.rls;
    const before = keyOnly ? columns.filter((column) => column.primaryKey) : columns;
    const record = type === "DELETE" ? "" : `,"record":${object(rendered.row, columns)}`;
    const oldRecord = type === "INSERT" ? "" : `,"old_record":${object(rendered.old, before)}`;
    return `${head},"commit_timestamp":${timestamp},"columns":${types}${record}${oldRecord},"errors":${JSON.stringify(errors)}}`;
  };
  const written = new Map<string, string>();
  return (select: string[] | null, readable: Column[], refusal: string | undefined): string => {
    const wanted = readable.filter(({ name, primaryKey }) => !select || primaryKey || select.includes(name));
    const columns = refusal ? [] : wanted;
    const key = JSON.stringify([refusal, columns.map(({ name }) => name)]);
    const errors = refusal ? [refusal] : tooLarge ? ["Error 413: Payload Too Large"] : null;
    const data = written.get(key) ?? write(columns, errors);
    written.set(key, data);
    return data;
  };
}
