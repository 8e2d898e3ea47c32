import { notEmbedded, notServed, RestError } from "./errors.ts";
import type { Condition } from "./parse-filter.ts";
import type { OrderTerm } from "./parse-order.ts";
import type { At, Query } from "./parse-query.ts";
import type { SelectEmbed, SelectField, SelectItem } from "./parse-select.ts";
import { capped } from "./ranges.ts";
import { findRelationship, type Relationship } from "./relationships.ts";
import type { Relation, SchemaView } from "./schema-cache.ts";

/** One level of a read: a table, what is wanted of its rows, and what is embedded into them. */
export interface ReadNode {
  /** The table or view, when there is one: functions may return rows of none. */
  relation: Relation | undefined;
  fields: SelectField[];
  embeds: Embed[];
  conditions: Condition[];
  order: OrderTerm[];
  limit: bigint | undefined;
  offset: bigint | undefined;
}

/** An embedding that is to be read along with its rows. */
export interface Embed {
  /** Name in the result. */
  key: string;
  /** Name of the table. */
  name: string;
  relationship: Relationship;
  inner: boolean;
  /** One object instead of an array. */
  toOne: boolean;
  /** Nothing of it is wanted in the result; it only filters. */
  hidden: boolean;
  node: ReadNode;
}

function node(
  view: SchemaView,
  origin: string,
  relation: Relation | undefined,
  items: SelectItem[],
): ReadNode {
  const fields = items.filter((item) => item.kind === "field");
  if (fields.some((field) => field.aggregate))
    throw new RestError(400, "PGRST123", "Use of aggregate functions is not allowed");
  return {
    relation,
    fields,
    embeds: items.filter((item) => item.kind === "embed").map((item) => embed(view, origin, item)),
    conditions: [],
    order: [],
    limit: undefined,
    offset: undefined,
  };
}

function embed(view: SchemaView, origin: string, item: SelectEmbed): Embed {
  if (item.spread) throw notServed("Spread embedding (...)");
  const relationship = findRelationship(view, origin, item.name, item.hint);
  const target = view.relation(relationship.target);
  const child = node(view, target.name, target, item.items);
  return {
    key: item.alias ?? item.name,
    name: item.name,
    relationship,
    inner: item.inner,
    toOne: relationship.cardinality === "many-to-one" || relationship.cardinality === "one-to-one",
    hidden: child.fields.length === 0 && child.embeds.every(({ hidden }) => hidden),
    node: child,
  };
}

/** The node that a parameter's path leads to: by alias, else by the name of the table. */
function nodeAt(root: ReadNode, path: string[]): ReadNode {
  let at = root;
  for (const name of path) {
    const found = at.embeds.find(({ key }) => key === name) ?? at.embeds.find((embed) => embed.name === name);
    if (!found) throw notEmbedded(name);
    at = found.node;
  }
  return at;
}

function checkRelatedOrder(of: ReadNode, origin: string): void {
  for (const { relation } of of.order) {
    if (relation === undefined) continue;
    const found = of.embeds.find(({ key }) => key === relation);
    if (!found) throw notEmbedded(relation);
    if (!found.toOne)
      throw new RestError(400, "PGRST118", `A related order on '${relation}' is not possible`, {
        details: `'${origin}' and '${relation}' do not form a many-to-one or one-to-one relationship`,
      });
  }
  for (const child of of.embeds) checkRelatedOrder(child.node, child.name);
}

function capAll(of: ReadNode, maxRows: number): void {
  const range = capped({ offset: of.offset ?? 0n, limit: of.limit }, maxRows);
  of.limit = range.limit;
  for (const { node: child, toOne } of of.embeds) {
    capAll(child, maxRows);
    // A foreign key leads to one row.
    if (toOne && child.limit === BigInt(maxRows)) child.limit = undefined;
  }
}

/** What a request wants to read. */
export interface ReadRequest {
  /** Name that relationships start from: the table's, or the function's when it returns rows of no table. */
  origin: string;
  relation: Relation | undefined;
  query: Query;
  /** `mutation`: the rows are those just written, so what filters or limits the root isn't for reading them. */
  mode: "read" | "mutation";
  maxRows: number;
}

/** Checks a parsed query against the schema. Throws RestError PGRST108, PGRST118, PGRST123, PGRST200, PGRST201, 501. */
export function planRead(view: SchemaView, request: ReadRequest): ReadNode {
  const { origin, relation, query, mode } = request;
  const root = node(view, origin, relation, query.select);
  const applies = ({ path }: At<unknown>): boolean => mode === "read" || path.length > 0;
  for (const { path, value } of query.filters.filter(applies)) nodeAt(root, path).conditions.push(value);
  for (const { path, value } of query.groups.filter(applies)) nodeAt(root, path).conditions.push(value);
  // Of a parameter given twice PostgREST takes the first order and the last limit.
  for (const { path, value } of query.orders.toReversed()) nodeAt(root, path).order = value;
  if (mode === "read") {
    for (const { path, value } of query.limits) nodeAt(root, path).limit = value;
    for (const { path, value } of query.offsets) nodeAt(root, path).offset = value;
    capAll(root, request.maxRows);
  }
  checkRelatedOrder(root, origin);
  return root;
}

/** Columns that the rows of `root` must carry for it to be read from them; undefined when all of them. */
export function columnsNeeded(root: ReadNode): Set<string> | undefined {
  if (root.fields.length + root.embeds.length === 0 || root.fields.some(({ field }) => field.name === "*"))
    return undefined;
  return new Set([
    ...root.fields.map(({ field }) => field.name),
    ...root.embeds.flatMap(({ relationship }) => relationship.columns.map(([own]) => own)),
    ...(root.relation?.primaryKey ?? []),
  ]);
}
