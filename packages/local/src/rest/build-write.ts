import { conditionSql } from "./build-filter.ts";
import type { Build } from "./build-read.ts";
import { notServed, RestError } from "./errors.ts";
import type { Condition } from "./parse-filter.ts";
import type { Payload } from "./payload.ts";
import { columnsNeeded, type ReadNode } from "./plan-read.ts";
import type { Preferences } from "./preferences.ts";
import type { Relation } from "./schema-cache.ts";
import type { Column } from "./schema-query.ts";
import { ident, qualified } from "./sql.ts";

/** One write to one table. */
export interface Write {
  relation: Relation;
  preferences: Preferences;
  /** How the written rows are read, when they are wanted. */
  read: ReadNode;
}

/** SQL that counts the rows of an upsert that were new, in a setting of the transaction (`insertedRows` reads it). */
const count = (step: "+ 1" | "- 1", never: string): string =>
  `set_config('pgrst.inserted', (coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0) ${step})::text, true) <> '${never}'`;
const COUNT_ROW = count("+ 1", "0");
const COUNT_CONFLICT = count("- 1", "-1");

/** SQL of the number of new rows of an upsert, after it ran. */
export const insertedRows = "nullif(current_setting('pgrst.inserted', true), '')::int";

function columnsOf({ columns, name }: Relation, keys: string[]): Column[] {
  return keys.map((key) => {
    const column = columns.get(key);
    if (!column)
      throw new RestError(
        400,
        "PGRST204",
        `Could not find the '${key}' column of '${name}' in the schema cache`,
      );
    return column;
  });
}

/** `{ column: default }` as SQL, for the columns that have one. */
function defaultsSql(columns: Column[], { bind }: Build["parameters"]): string {
  const pairs = columns
    .filter((column) => column.default !== null)
    .map((column) => `${bind(column.name)}::text, ${column.default}`);
  return `jsonb_build_object(${pairs.join(", ")})`;
}

/** FROM item that turns the body into rows of the given columns. */
function bodyRows(
  build: Build,
  payload: Payload,
  columns: Column[],
  alias: string,
  defaults: boolean,
): string {
  const { parameters } = build;
  const { isObject, json } = payload;
  if (columns.length === 0)
    return isObject
      ? `(values (1)) as ${alias}`
      : `json_array_elements(${parameters.bind(json)}::json) as ${alias}`;
  const shape = columns.map(({ name, type }) => `${ident(name)} ${type}`).join(", ");
  const set = isObject ? "" : "set";
  if (!defaults) return `json_to_record${set}(${parameters.bind(json)}::json) as ${alias} (${shape})`;
  const body = `${parameters.bind(json)}::jsonb`;
  const missing = defaultsSql(columns, parameters);
  const filled = isObject
    ? `${missing} || ${body}`
    : `(select jsonb_agg(${missing} || row_1) from jsonb_array_elements(${body}) as row_1)`;
  return `jsonb_to_record${set}(${filled}) as ${alias} (${shape})`;
}

function returning({ preferences, read, relation }: Write): string {
  if (!preferences.representation) return "returning 1";
  const alias = ident(relation.name);
  const needed = columnsNeeded(read);
  return `returning ${needed ? [...needed].map((name) => `${alias}.${ident(name)}`).join(", ") : `${alias}.*`}`;
}

function conflictTarget({ relation, preferences }: Write, onConflict: string[] | undefined): string[] {
  if (!preferences.resolution) return [];
  if (!onConflict && relation.isView) throw notServed("Upsert into a view without on_conflict");
  return onConflict ?? relation.primaryKey;
}

/** `insert …` of the body's rows, as an upsert when the request asks for one. Throws RestError PGRST204. */
export function buildInsert(
  build: Build,
  write: Write,
  payload: Payload,
  onConflict: string[] | undefined,
): string {
  const { relation, preferences } = write;
  const columns = columnsOf(relation, payload.keys);
  const alias = ident(build.aliases.next("body"));
  const target = conflictTarget(write, onConflict);
  const merges = preferences.resolution === "merge-duplicates";
  const names = columns.map(({ name }) => ident(name));
  const updates = names.map((name) => `${name} = excluded.${name}`).join(", ");
  return [
    `insert into ${qualified(relation.schema, relation.name)} as ${ident(relation.name)}`,
    names.length > 0 ? `(${names.join(", ")})` : "",
    `select ${names.map((name) => `${alias}.${name}`).join(", ")}`,
    `from ${bodyRows(build, payload, columns, alias, preferences.missingDefault)}`,
    merges ? `where ${COUNT_ROW}` : "",
    target.length > 0 ? `on conflict (${target.map(ident).join(", ")}) do` : "",
    target.length > 0
      ? merges && updates
        ? `update set ${updates} where ${COUNT_CONFLICT}`
        : "nothing"
      : "",
    returning(write),
  ]
    .filter(Boolean)
    .join(" ");
}

/** Hosted projects refuse writes to a whole table (the safeupdate extension), and so does this. */
function requireConditions(conditions: Condition[], verb: string): void {
  if (conditions.length === 0) throw new RestError(400, "21000", `${verb} requires a WHERE clause`);
}

function where(build: Build, { relation }: Write, conditions: Condition[]): string {
  const place = { alias: relation.name, relation };
  return conditions.map((condition) => conditionSql(place, condition, build.parameters)).join(" and ");
}

/** `update …` of the rows that meet `conditions`. Throws RestError PGRST204, 21000 without conditions. */
export function buildUpdate(build: Build, write: Write, payload: Payload, conditions: Condition[]): string {
  const { relation, preferences } = write;
  const table = `${qualified(relation.schema, relation.name)} as ${ident(relation.name)}`;
  if (payload.keys.length === 0)
    return `select ${returning(write).slice("returning ".length)} from ${table} where false`;
  requireConditions(conditions, "UPDATE");
  const columns = columnsOf(relation, payload.keys);
  const alias = ident(build.aliases.next("body"));
  const changes = columns.map(({ name }) => `${ident(name)} = ${alias}.${ident(name)}`);
  return [
    `update ${table} set ${changes.join(", ")}`,
    `from ${bodyRows(build, payload, columns, alias, preferences.missingDefault)}`,
    `where ${where(build, write, conditions)}`,
    returning(write),
  ].join(" ");
}

/** `delete …` of the rows that meet `conditions`. Throws RestError 21000 without conditions. */
export function buildDelete(build: Build, write: Write, conditions: Condition[]): string {
  requireConditions(conditions, "DELETE");
  const { relation } = write;
  return [
    `delete from ${qualified(relation.schema, relation.name)} as ${ident(relation.name)}`,
    `where ${where(build, write, conditions)}`,
    returning(write),
  ].join(" ");
}
