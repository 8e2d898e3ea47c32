import { type Field, field, fieldName } from "./parse-field.ts";
import { Scanner } from "./scanner.ts";

/** One term of `order=`; undefined where Postgres decides. */
export interface OrderTerm {
  field: Field;
  /** The embedding that has the field: `order=client(name)`. */
  relation: string | undefined;
  direction: "asc" | "desc" | undefined;
  nulls: "first" | "last" | undefined;
}

function term(scanner: Scanner): OrderTerm {
  const related = scanner.attempt(() => {
    const relation = fieldName(scanner);
    scanner.need("(");
    const of = field(scanner);
    scanner.need(")");
    return { relation, field: of };
  });
  const of = related ?? { relation: undefined, field: field(scanner) };
  const direction = scanner.match(/\.(asc|desc)(?![a-z])/y)?.[1] as OrderTerm["direction"];
  const nulls = scanner.match(/\.nulls(first|last)(?![a-z])/y)?.[1] as OrderTerm["nulls"];
  scanner.skipBlanks();
  if (!scanner.done && !scanner.sees(","))
    scanner.expected(
      direction ? '"nullsfirst" or "nullslast"' : '"asc", "desc", "nullsfirst" or "nullslast"',
    );
  return { ...of, direction, nulls };
}

/** The `order` parameter. Throws RestError PGRST100. */
export const parseOrder = (text: string): OrderTerm[] =>
  Scanner.run("order", text, (scanner) => scanner.list(() => term(scanner)));
