import { conditionSql, fieldSql, type Place } from "./build-filter.ts";
import type { Filter } from "./parse-filter.ts";
import type { OrderTerm } from "./parse-order.ts";
import type { SelectField } from "./parse-select.ts";
import type { Embed, ReadNode } from "./plan-read.ts";
import type { SchemaView } from "./schema-cache.ts";
import { type Aliases, ident, type Parameters, qualified } from "./sql.ts";

/** What a statement is built with. */
export interface Build {
  view: SchemaView;
  parameters: Parameters;
  aliases: Aliases;
}

/** A read as SQL, in the parts that its rows and their count share. */
export interface ReadSql {
  /** `select …` of the rows, ordered and limited. */
  rows: string;
  /** `select count(*) …` of all rows, whatever the limit. */
  count: string;
}

interface Part {
  embed: Embed | undefined;
  place: Place;
  from: string;
  where: string;
  children: Part[];
  node: ReadNode;
}

const where = (part: Part): string => (part.where ? ` where ${part.where}` : "");
const exists = (part: Part): string => `exists (select from ${part.from}${where(part)})`;

/** `rel=is.null` asks whether anything is embedded. */
function embedFilter({ field, negated, operation }: Filter, children: Part[]): string | undefined {
  if (field.path.length > 0 || operation.kind !== "is" || operation.value !== "null") return undefined;
  const child = children.find(({ embed }) => embed?.key === field.name);
  return child && `${negated ? "" : "not "}${exists(child)}`;
}

const equalColumns = (left: string, right: string, columns: [string, string][]): string[] =>
  columns.map(([a, b]) => `${ident(left)}.${ident(a)} = ${ident(right)}.${ident(b)}`);

function embedPart(build: Build, embed: Embed, parent: string): Part {
  const { columns, junction, target } = embed.relationship;
  const alias = build.aliases.next(target);
  const from = `${qualified(build.view.schema, target)} as ${ident(alias)}`;
  if (!junction) return part(build, embed.node, alias, from, equalColumns(parent, alias, columns), embed);
  const between = build.aliases.next(junction.name);
  return part(
    build,
    embed.node,
    alias,
    `${from}, ${qualified(junction.schema, junction.name)} as ${ident(between)}`,
    [...equalColumns(parent, between, columns), ...equalColumns(between, alias, junction.columns)],
    embed,
  );
}

function part(
  build: Build,
  node: ReadNode,
  alias: string,
  from: string,
  joins: string[],
  embed: Embed | undefined,
): Part {
  const place = { alias, relation: node.relation };
  const children = node.embeds.map((child) => embedPart(build, child, alias));
  const conditions = [
    ...joins,
    ...node.conditions.map((condition) =>
      conditionSql(place, condition, build.parameters, (filter) => embedFilter(filter, children)),
    ),
    ...children.filter((child) => child.embed?.inner).map(exists),
  ];
  return { embed, place, from, where: conditions.join(" and "), children, node };
}

/** Name of a column of the result when the request gives none: the last key of a JSON path, or the column. */
function fieldKey({ alias, field }: SelectField): string {
  return alias ?? field.path.findLast(({ isIndex }) => !isIndex)?.key ?? field.name;
}

function columnSql(item: SelectField, place: Place, { view, parameters }: Build): string {
  if (item.field.name === "*") return `${ident(place.alias)}.*`;
  const sql = fieldSql(place, item.field, parameters);
  const typed = item.cast === undefined ? sql : `cast(${sql} as ${view.castType(item.cast)})`;
  return `${typed} as ${ident(fieldKey(item))}`;
}

function embedColumn(child: Part, build: Build): string {
  const { key, toOne } = child.embed as Embed;
  const alias = ident(build.aliases.next("row"));
  // `.*` and not the bare alias, which a column of the same name would hide.
  const json = toOne ? `row_to_json(${alias}.*)` : `coalesce(json_agg(${alias}.*), '[]')`;
  return `(select ${json} from (${rowsSql(child, build)}) as ${alias}) as ${ident(key)}`;
}

function orderSql({ direction, field, nulls, relation }: OrderTerm, of: Part, build: Build): string {
  const related = of.children.find(({ embed }) => embed?.key === relation);
  const place = related?.place ?? of.place;
  const sql = fieldSql(place, field, build.parameters);
  const value = related ? `(select ${sql} from ${related.from}${where(related)})` : sql;
  return [value, direction, nulls && `nulls ${nulls}`].filter(Boolean).join(" ");
}

function rowsSql(of: Part, build: Build): string {
  const { limit, offset, order, fields, embeds } = of.node;
  const shown = of.children.filter(({ embed }) => !embed?.hidden);
  const columns = [
    ...fields.map((item) => columnSql(item, of.place, build)),
    ...shown.map((child) => embedColumn(child, build)),
  ];
  const { bind } = build.parameters;
  return [
    fields.length + embeds.length === 0
      ? `select ${ident(of.place.alias)}.*`
      : `select ${columns.join(", ")}`,
    `from ${of.from}${where(of)}`,
    order.length > 0 ? `order by ${order.map((term) => orderSql(term, of, build)).join(", ")}` : "",
    limit === undefined ? "" : `limit ${bind(String(limit))}`,
    offset === undefined ? "" : `offset ${bind(String(offset))}`,
  ]
    .filter(Boolean)
    .join(" ");
}

/** SQL of a read of `source`, a FROM item, whose rows go by the name `alias`. */
export function buildRead(build: Build, node: ReadNode, source: string, alias: string): ReadSql {
  const name = build.aliases.root(alias);
  const root = part(build, node, name, `${source} as ${ident(name)}`, [], undefined);
  return { rows: rowsSql(root, build), count: `select count(*) from ${root.from}${where(root)}` };
}
