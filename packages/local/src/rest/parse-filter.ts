import { type Field, field, quoted } from "./parse-field.ts";
import { Scanner } from "./scanner.ts";

/** SQL of the operators that compare a column with one value (PostgREST docs, "Operators"). */
export const COMPARISONS = {
  eq: "=",
  neq: "<>",
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
  like: "like",
  ilike: "ilike",
  match: "~",
  imatch: "~*",
  cs: "@>",
  cd: "<@",
  ov: "&&",
  sl: "<<",
  sr: ">>",
  nxr: "&<",
  nxl: "&>",
  adj: "-|-",
} as const;
/** An operator of {@link COMPARISONS}, as a request names it. */
export type Comparison = keyof typeof COMPARISONS;

/** SQL functions of the full-text operators. */
export const SEARCHES = {
  fts: "to_tsquery",
  plfts: "plainto_tsquery",
  phfts: "phraseto_tsquery",
  wfts: "websearch_to_tsquery",
} as const;
/** An operator of {@link SEARCHES}. */
export type Search = keyof typeof SEARCHES;

const IS_VALUES = ["null", "not_null", "true", "false", "unknown"] as const;
/** What `is` compares with. */
export type IsValue = (typeof IS_VALUES)[number];

/** What a filter asks of its field. `distinct` is `isdistinct`. */
export type Operation =
  | { kind: "compare"; operator: Comparison; quantifier: "any" | "all" | undefined; value: string }
  | { kind: "in"; values: string[] }
  | { kind: "is"; value: IsValue }
  | { kind: "distinct"; value: string }
  | { kind: "search"; operator: Search; language: string | undefined; value: string };

/** One condition on one field. */
export interface Filter {
  kind: "filter";
  field: Field;
  negated: boolean;
  operation: Operation;
}

/** `and=(…)` or `or=(…)`. */
export interface Group {
  kind: "group";
  operator: "and" | "or";
  negated: boolean;
  members: Condition[];
}

/** What a row has to meet. */
export type Condition = Filter | Group;

const OPERATOR = "operator (eq, gt, ...)";
const QUANTIFIABLE = /(eq|gte|gt|lte|lt|like|ilike|match|imatch)(?:\((any|all)\))?\./y;
const SIMPLE = /(neq|cs|cd|ov|sl|sr|nxr|nxl|adj)\./y;
const FULL_TEXT = /(fts|plfts|phfts|wfts)(?:\(([\p{L}0-9_ $]+)\))?\./uy;

/** A value in quotes counts as quoted only when a comma, a bracket or the end follows. */
const wholeQuoted = (scanner: Scanner): string | undefined =>
  scanner.attempt(() => {
    const value = quoted(scanner);
    if (value === undefined || !(scanner.done || scanner.sees(",") || scanner.sees(")")))
      scanner.expected('"\\""');
    return value;
  });

const bare = (scanner: Scanner): string => scanner.match(/[^,)]*/y)?.[0] ?? "";

/** The value of a parameter of its own: all that is left. */
const restOfInput = (scanner: Scanner): string => scanner.match(/[\s\S]*/y)?.[0] ?? "";

/** The value inside of `or=(…)`: up to a comma or bracket, unless it is quoted or a Postgres array. */
const valueInGroup = (scanner: Scanner): string =>
  wholeQuoted(scanner) ?? scanner.match(/\{[^{}]*\}/y)?.[0] ?? bare(scanner);

function inList(scanner: Scanner): string[] {
  scanner.skipBlanks();
  scanner.need("(");
  const values: string[] = [];
  do values.push(wholeQuoted(scanner) ?? bare(scanner));
  while (scanner.eat(","));
  scanner.need(")");
  scanner.skipBlanks();
  return values;
}

function isValue(scanner: Scanner): IsValue {
  const word = scanner.match(/[a-z_]+/iy)?.[0].toLowerCase();
  const value = IS_VALUES.find((known) => known === word);
  return value ?? scanner.expected("isVal: (null, not_null, true, false, unknown)");
}

function operation(scanner: Scanner, value: (scanner: Scanner) => string): Operation {
  if (scanner.eat("in.")) return { kind: "in", values: inList(scanner) };
  if (scanner.eat("is.")) return { kind: "is", value: isValue(scanner) };
  if (scanner.eat("isdistinct.")) return { kind: "distinct", value: value(scanner) };
  const search = scanner.match(FULL_TEXT);
  if (search)
    return {
      kind: "search",
      operator: search[1] as Search,
      language: search[2]?.trim(),
      value: value(scanner),
    };
  const compare = scanner.match(QUANTIFIABLE) ?? scanner.match(SIMPLE);
  if (!compare) scanner.expected(OPERATOR);
  return {
    kind: "compare",
    operator: compare[1] as Comparison,
    quantifier: compare[2] as "any" | "all" | undefined,
    value: value(scanner),
  };
}

function expression(scanner: Scanner, of: Field, value: (scanner: Scanner) => string): Filter {
  const negated = scanner.eat("not.");
  return { kind: "filter", field: of, negated, operation: operation(scanner, value) };
}

function condition(scanner: Scanner): Condition {
  const filter = scanner.attempt(() => {
    const of = field(scanner);
    scanner.skipBlanks();
    scanner.need(".");
    return expression(scanner, of, valueInGroup);
  });
  if (filter) return filter;
  const negated = scanner.eat("not.");
  const operator = scanner.eat("and") ? "and" : scanner.eat("or") ? "or" : undefined;
  if (!operator) scanner.expected("logic operator (and, or)");
  scanner.skipBlanks();
  scanner.need("(");
  const members = scanner.list(() => condition(scanner));
  scanner.need(")");
  return { kind: "group", operator, negated, members };
}

/** `eq.5`, `not.in.(1,2)` … of the column `of`. Throws RestError PGRST100. */
export const parseFilter = (of: Field, text: string): Filter =>
  Scanner.run("filter", text, (scanner) => expression(scanner, of, restOfInput));

const BEGINS_LIKE_FILTER = new RegExp(
  `^(?:not\\.|in\\.|is\\.|isdistinct\\.|${QUANTIFIABLE.source}|${SIMPLE.source}|${FULL_TEXT.source})`,
  "u",
);

/** Whether a parameter's value is meant as a filter; else, on a function, it is an argument. */
export const looksLikeFilter = (text: string): boolean => BEGINS_LIKE_FILTER.test(text);

/** `(a.eq.1,or(b.is.null,c.gt.2))`. Throws RestError PGRST100. */
export function parseGroup(operator: "and" | "or", negated: boolean, text: string): Group {
  const members = Scanner.run("logic tree", text, (scanner) => {
    scanner.skipBlanks();
    scanner.need("(");
    const list = scanner.list(() => condition(scanner));
    scanner.need(")");
    scanner.skipBlanks();
    return list;
  });
  return { kind: "group", operator, negated, members };
}
