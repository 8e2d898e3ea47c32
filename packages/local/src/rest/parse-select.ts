import { type Field, field, fieldName } from "./parse-field.ts";
import { Scanner } from "./scanner.ts";

/** A column of the result; `*` has the name `*` and no path. */
export interface SelectField {
  kind: "field";
  field: Field;
  alias: string | undefined;
  /** Type name as the request wrote it. */
  cast: string | undefined;
  /** `count`, `sum` …: refused later, as hosted refuses it. */
  aggregate: string | undefined;
}

/** Rows of a related table inside of the result. */
export interface SelectEmbed {
  kind: "embed";
  name: string;
  alias: string | undefined;
  hint: string | undefined;
  inner: boolean;
  /** `...name(…)`: columns lifted into the parent. */
  spread: boolean;
  items: SelectItem[];
}

/** One item of `select=`. */
export type SelectItem = SelectField | SelectEmbed;

const aggregates = /\.(sum|avg|count|max|min)\(\)/y;

/** `alias:`, but not the first colon of a cast. */
function alias(scanner: Scanner): string | undefined {
  return scanner.attempt(() => {
    const name = fieldName(scanner);
    if (scanner.sees("::")) scanner.expected('":"');
    scanner.need(":");
    return name;
  });
}

function typeName(scanner: Scanner): string {
  const name = scanner.match(/[\p{L}0-9_ $]+/uy)?.[0].trim();
  return name || scanner.expected("letter or digit");
}

const cast = (scanner: Scanner): string | undefined => (scanner.eat("::") ? typeName(scanner) : undefined);

function itemEnd(scanner: Scanner): void {
  scanner.skipBlanks();
  if (!scanner.done && !scanner.sees(",") && !scanner.sees(")")) scanner.expected('")", "," or end of input');
}

function embed(scanner: Scanner): SelectEmbed {
  const spread = scanner.eat("...");
  const as = spread ? undefined : alias(scanner);
  const name = fieldName(scanner);
  if (name === "count") scanner.expected("the name of a related table");
  let hint: string | undefined;
  let inner = false;
  for (let modifiers = 0; modifiers < 2 && scanner.eat("!"); modifiers++) {
    const word = fieldName(scanner);
    if (word === "inner") inner = true;
    else if (word !== "left") hint ??= word;
  }
  scanner.need("(");
  return { kind: "embed", name, alias: as, hint, inner, spread, items: [] };
}

function selectField(scanner: Scanner): SelectField {
  if (scanner.eat("*")) {
    itemEnd(scanner);
    return {
      kind: "field",
      field: { name: "*", path: [] },
      alias: undefined,
      cast: undefined,
      aggregate: undefined,
    };
  }
  const as = alias(scanner);
  if (scanner.eat("count()")) {
    const of = { name: "*", path: [] };
    const item: SelectField = {
      kind: "field",
      field: of,
      alias: as,
      cast: cast(scanner),
      aggregate: "count",
    };
    itemEnd(scanner);
    return item;
  }
  const of = field(scanner);
  const type = cast(scanner);
  const aggregate = scanner.match(aggregates)?.[1];
  if (aggregate) cast(scanner);
  itemEnd(scanner);
  return { kind: "field", field: of, alias: as, cast: type, aggregate };
}

function item(scanner: Scanner): SelectItem {
  const start = scanner.attempt(() => embed(scanner));
  if (!start) return selectField(scanner);
  const items = forest(scanner);
  scanner.need(")");
  return { ...start, items };
}

function forest(scanner: Scanner): SelectItem[] {
  scanner.skipBlanks();
  return scanner.done || scanner.sees(")") ? [] : scanner.list(() => item(scanner));
}

/** The `select` parameter. Throws RestError PGRST100. */
export const parseSelect = (text: string): SelectItem[] => Scanner.run("select parameter", text, forest);

/** `columns` and `on_conflict`: names with commas between. Throws RestError PGRST100. */
export const parseNames = (parameter: string, text: string): string[] =>
  Scanner.run(`${parameter} parameter`, text, (scanner) => scanner.list(() => fieldName(scanner)));
