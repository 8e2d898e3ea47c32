/** One condition of a postgres_changes filter: `column=[not.]operator.value`. */
export interface Filter {
  column: string;
  operator: Operator;
  value: string;
  negate: boolean;
}

const SYMBOLS = {
  eq: "=",
  neq: "<>",
  lt: "<",
  lte: "<=",
  gt: ">",
  gte: ">=",
  in: "= any",
  like: "like",
  ilike: "ilike",
  match: "~",
  imatch: "~*",
  isdistinct: "is distinct from",
  is: "is",
} as const;
type Operator = keyof typeof SYMBOLS;

const IS_VALUES = ["null", "true", "false", "unknown"];
const MOST_IN_VALUES = 100;

/** A filter that hosted Realtime would refuse too. */
export class FilterError extends Error {
  override name = "FilterError";
}

/**
 * Reads `a=eq.1,b=not.in.(x,y)`: every condition must hold. Operators and quoting as in supabase/realtime's
 * `Subscriptions.parse_subscription_params`. Throws FilterError.
 */
export function parseFilters(text: string): Filter[] {
  const trimmed = text.trim();
  return trimmed === "" ? [] : splitConditions(trimmed).map(parseCondition);
}

/** Commas in quotes or parentheses belong to a value; a quote counts only where a value starts. */
function splitConditions(text: string): string[] {
  const conditions: string[] = [];
  let [start, depth, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === "\\") at++;
      else if (char === '"') quoted = false;
    } else if (char === '"' && at > 0 && ".(,".includes(text[at - 1] as string)) quoted = true;
    else if (char === "(") depth++;
    else if (char === ")") depth = Math.max(0, depth - 1);
    else if (char === "," && depth === 0) {
      conditions.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...conditions, text.slice(start)];
}

function parseCondition(segment: string): Filter {
  const condition = segment.trim();
  if (condition === "")
    throw new FilterError("filter must not contain empty segments (check for extra commas)");
  const [, column, not, operator, value] = /^([^=]*)=(not\.)?([^.]*)\.(.*)$/s.exec(condition) ?? [];
  if (column === undefined || operator === undefined || value === undefined)
    throw new FilterError(JSON.stringify([condition]));
  if (!isOperator(operator)) throw new FilterError(JSON.stringify([operator, value]));
  if (operator === "is" && !IS_VALUES.includes(value))
    throw new FilterError("invalid value for is filter: must be null, true, false, or unknown");
  return {
    column,
    operator,
    value: operator === "in" ? arrayLiteral(value) : unquote(value),
    negate: not !== undefined,
  };
}

const isOperator = (text: string): text is Operator => Object.hasOwn(SYMBOLS, text);

function arrayLiteral(value: string): string {
  if (!/^\(.*\)$/s.test(value)) throw new FilterError("`in` filter value must be wrapped by parentheses");
  return `{${value.slice(1, -1)}}`;
}

function unquote(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(value)?.[1];
  return quoted === undefined ? value : quoted.replace(/\\(.)/gs, "$1");
}

/**
 * The condition in SQL over `actual`, an expression of type `type`; `parameter` stands for the filter's value as text.
 * Null counts as false, as hosted Realtime decides it.
 */
export function filterSql(filter: Filter, actual: string, type: string, parameter: string): string {
  const { operator, negate, value } = filter;
  const not = negate ? "not " : "";
  // `is` takes a keyword, one of IS_VALUES, and no value of the column's type.
  if (operator === "is") return `(${actual} is ${not}${value})`;
  const expected = `${parameter}::text::${type}`;
  if (operator === "isdistinct") return `(${actual} is ${negate ? "not " : ""}distinct from ${expected})`;
  const right = operator === "in" ? `(${expected}[])` : expected;
  return `coalesce(${not}(${actual} ${SYMBOLS[operator]} ${right}), false)`;
}

/** True when the filter has a value to bind; `is` has its in the SQL. */
export const hasParameter = (filter: Filter): boolean => filter.operator !== "is";

/**
 * SQL that fails if the filter can't work on a column of this type: a value that isn't of the type, no such operator,
 * a broken pattern, too many values.
 */
export function filterProbeSql(filter: Filter, type: string, parameter: string): string {
  const probe = filterSql(filter, `null::${type}`, type, parameter);
  if (filter.operator === "match" || filter.operator === "imatch")
    return `select '' ~ ${parameter}::text, ${probe}`;
  if (filter.operator !== "in") return `select ${probe}`;
  const tooMany = `cardinality(${parameter}::text::${type}[]) > ${MOST_IN_VALUES}`;
  return `select ${probe}, ${tooMany} as too_many`;
}
