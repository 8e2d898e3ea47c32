import { RestError } from "./errors.ts";
import { dotted, jsonPath } from "./parse-field.ts";
import { type Filter, type Group, looksLikeFilter, parseFilter, parseGroup } from "./parse-filter.ts";
import { type OrderTerm, parseOrder } from "./parse-order.ts";
import { parseNames, parseSelect, type SelectItem } from "./parse-select.ts";
import { Scanner } from "./scanner.ts";

/** Something said of the rows at `path`: of the root when it is empty, else of an embedding. */
export interface At<T> {
  path: string[];
  value: T;
}

/** The query string of one request, parsed but not yet checked against the schema. */
export interface Query {
  select: SelectItem[];
  filters: At<Filter>[];
  groups: At<Group>[];
  orders: At<OrderTerm[]>[];
  limits: At<bigint>[];
  offsets: At<bigint>[];
  columns: string[] | undefined;
  onConflict: string[] | undefined;
  /** Arguments of a function called by GET, as often as they are given. */
  args: [name: string, value: string][];
}

const lastWord = (key: string): string => key.slice(key.lastIndexOf(".") + 1);

const treePath = (key: string) =>
  Scanner.run("tree path", key, (scanner) => ({ ...dotted(scanner), steps: jsonPath(scanner) }));

/** A value that is no integer is as good as none (PostgREST reads it so). */
const integer = (text: string): bigint | undefined =>
  /^\s*-?\d+\s*$/.test(text) ? BigInt(text.trim()) : undefined;

function group(key: string, value: string): At<Group> {
  const { path, name } = Scanner.run("logic path", key, dotted);
  const negated = path.includes("not");
  return {
    path: path.filter((part) => part !== "not"),
    value: parseGroup(name as "and" | "or", negated, value),
  };
}

/**
 * Parses a query string. With `argsAllowed` (a function called by GET) what doesn't read as a filter is an argument;
 * without, it is an error. Throws RestError PGRST100.
 */
export function parseQuery(params: URLSearchParams, argsAllowed: boolean): Query {
  const query: Query = {
    select: parseSelect(params.get("select") ?? "*"),
    filters: [],
    groups: [],
    orders: [],
    limits: [],
    offsets: [],
    columns: undefined,
    onConflict: undefined,
    args: [],
  };
  for (const [key, value] of params) {
    if (key.includes("\0") || value.includes("\0"))
      throw new RestError(400, "PGRST100", "A query parameter holds a null character");
    const word = lastWord(key);
    if (key === "select") continue;
    if (key === "columns") query.columns ??= parseNames(key, value);
    else if (key === "on_conflict") query.onConflict ??= parseNames(key, value);
    else if (word === "and" || word === "or") query.groups.push(group(key, value));
    else if (word === "order") query.orders.push({ path: treePath(key).path, value: parseOrder(value) });
    else if (word === "limit" || word === "offset") {
      const number = integer(value);
      if (number !== undefined) query[`${word}s`].push({ path: treePath(key).path, value: number });
    } else if (argsAllowed && !looksLikeFilter(value)) query.args.push([key, value]);
    else {
      const { path, name, steps } = treePath(key);
      query.filters.push({ path, value: parseFilter({ name, path: steps }, value) });
    }
  }
  return query;
}
