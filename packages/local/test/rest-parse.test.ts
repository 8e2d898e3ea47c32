import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RestError } from "../src/rest/errors.ts";
import { negotiate } from "../src/rest/media.ts";
import type { Field } from "../src/rest/parse-field.ts";
import { type Condition, parseFilter, parseGroup } from "../src/rest/parse-filter.ts";
import { parseOrder } from "../src/rest/parse-order.ts";
import { parseQuery } from "../src/rest/parse-query.ts";
import { parseNames, parseSelect, type SelectItem } from "../src/rest/parse-select.ts";
import { tablePayload } from "../src/rest/payload.ts";
import { parsePreferences } from "../src/rest/preferences.ts";
import { contentRange, rangeOf } from "../src/rest/ranges.ts";
import { parsePath } from "../src/rest/request.ts";
import { mostSimilar } from "../src/rest/similar.ts";
import { Aliases, ident } from "../src/rest/sql.ts";

const quote = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;
const anyText = fc.string({ unit: "binary", maxLength: 30 });
const nameText = fc.string({ unit: "binary", minLength: 1, maxLength: 12 });
/** Text as requests have it: full of what parsers look for. */
const nearlyRequest = fc
  .array(
    fc.constantFrom(
      ...'ab1 .,:()!-"\\{}*',
      "->",
      "->>",
      "::",
      "not.",
      "eq.",
      "in.(",
      "is.",
      "and",
      "or",
      "...",
    ),
  )
  .map((parts) => parts.join(""));

const field: fc.Arbitrary<Field> = fc.record({
  name: nameText,
  path: fc.array(
    fc.oneof(
      fc.record({ asText: fc.boolean(), key: nameText, isIndex: fc.constant(false) }),
      fc.record({ asText: fc.boolean(), key: fc.integer().map(String), isIndex: fc.constant(true) }),
    ),
    { maxLength: 3 },
  ),
});
const printField = ({ name, path }: Field): string =>
  quote(name) +
  path.map(({ asText, key, isIndex }) => `${asText ? "->>" : "->"}${isIndex ? key : quote(key)}`).join("");

describe("select", () => {
  const items: fc.Memo<SelectItem[]> = fc.memo((depth) =>
    fc.array(
      depth <= 1
        ? leaf
        : fc.oneof(
            leaf,
            fc.record({
              kind: fc.constant("embed" as const),
              name: nameText.filter((name) => name !== "count"),
              alias: fc.option(nameText, { nil: undefined }),
              hint: fc.option(
                nameText.filter((hint) => hint !== "inner" && hint !== "left"),
                { nil: undefined },
              ),
              inner: fc.boolean(),
              spread: fc.constant(false),
              items: items(depth - 1),
            }),
          ),
      { minLength: 1, maxLength: 3 },
    ),
  );
  const leaf: fc.Arbitrary<SelectItem> = fc.record({
    kind: fc.constant("field" as const),
    // A position just before a bracket reads as a key, as it does to PostgREST; such a field takes a cast here.
    field,
    alias: fc.option(nameText, { nil: undefined }),
    cast: fc.constantFrom("text", "double precision", "_int4"),
    aggregate: fc.constant(undefined),
  });
  const print = (item: SelectItem): string => {
    const alias = item.alias === undefined ? "" : `${quote(item.alias)}:`;
    if (item.kind === "field") return `${alias}${printField(item.field)}::${item.cast}`;
    const hint = item.hint === undefined ? "" : `!${quote(item.hint)}`;
    return `${alias}${quote(item.name)}${hint}${item.inner ? "!inner" : ""}(${item.items.map(print).join(",")})`;
  };

  test("what is printed parses to itself", () => {
    fc.assert(
      fc.property(items(3), (tree) => {
        expect(parseSelect(tree.map(print).join(","))).toEqual(tree);
      }),
    );
  });

  test("blanks around names don't count", () => {
    expect(parseSelect("a , b:c")).toEqual(parseSelect("a,b:c"));
    expect(parseSelect("")).toEqual([]);
  });

  test("a dash belongs to a name unless it begins an arrow", () => {
    expect(parseSelect("a-b->c-d->-1::text")).toMatchObject([
      {
        field: {
          name: "a-b",
          path: [
            { key: "c-d", isIndex: false },
            { key: "-1", isIndex: true },
          ],
        },
        cast: "text",
      },
    ]);
  });
});

describe("filters", () => {
  const operand = anyText.filter((text) => !text.includes("\0"));

  test("a value is all that follows the operator", () => {
    fc.assert(
      fc.property(field, operand, fc.boolean(), (of, value, negated) => {
        expect(parseFilter(of, `${negated ? "not." : ""}gte.${value}`)).toEqual({
          kind: "filter",
          field: of,
          negated,
          operation: { kind: "compare", operator: "gte", quantifier: undefined, value },
        });
      }),
    );
  });

  test("quoted members of a list are themselves", () => {
    fc.assert(
      fc.property(field, fc.array(operand, { minLength: 1 }), (of, values) => {
        expect(parseFilter(of, `in.(${values.map(quote).join(",")})`).operation).toEqual({
          kind: "in",
          values,
        });
      }),
    );
  });

  const conditions: fc.Memo<Condition> = fc.memo((depth) =>
    depth <= 1 ? leaf : fc.oneof(leaf, group(depth)),
  );
  const leaf: fc.Arbitrary<Condition> = fc.record({
    kind: fc.constant("filter" as const),
    field: field.map((of) => ({ ...of, path: of.path.filter(({ isIndex }) => !isIndex) })),
    negated: fc.boolean(),
    operation: fc.oneof(
      operand.map((value) => ({
        kind: "compare" as const,
        operator: "like" as const,
        quantifier: "any" as const,
        value,
      })),
      fc.constant({ kind: "is" as const, value: "not_null" as const }),
      operand.map((value) => ({ kind: "distinct" as const, value })),
    ),
  });
  const group = (depth: number): fc.Arbitrary<Condition> =>
    fc.record({
      kind: fc.constant("group" as const),
      operator: fc.constantFrom("and" as const, "or" as const),
      negated: fc.boolean(),
      members: fc.array(conditions(depth - 1), { minLength: 1, maxLength: 3 }),
    });
  const print = (condition: Condition): string => {
    const not = condition.negated ? "not." : "";
    if (condition.kind === "group")
      return `${not}${condition.operator}(${condition.members.map(print).join(",")})`;
    const { operation } = condition;
    const of = printField(condition.field);
    if (operation.kind === "is") return `${of}.${not}is.${operation.value}`;
    if (operation.kind === "distinct") return `${of}.${not}isdistinct.${quote(operation.value)}`;
    return operation.kind === "compare" ? `${of}.${not}like(any).${quote(operation.value)}` : "";
  };

  test("a tree that is printed parses to itself", () => {
    fc.assert(
      fc.property(
        fc.array(conditions(3), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (members, negated) => {
          const text = `(${members.map(print).join(",")})`;
          expect(parseGroup("or", negated, text)).toEqual({
            kind: "group",
            operator: "or",
            negated,
            members,
          });
        },
      ),
    );
  });
});

describe("anything else", () => {
  const refuses = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      expect(error).toBeInstanceOf(RestError);
      expect((error as RestError).status).toBeGreaterThanOrEqual(400);
    }
  };

  test("is refused in PostgREST's words, never by an accident", () => {
    fc.assert(
      fc.property(fc.oneof(nearlyRequest, anyText), fc.oneof(nearlyRequest, anyText), (key, value) => {
        refuses(() => parseSelect(value));
        refuses(() => parseOrder(value));
        refuses(() => parseNames("columns", value));
        refuses(() => parseFilter({ name: "a", path: [] }, value));
        refuses(() => parseGroup("and", false, value));
        refuses(() => parseQuery(new URLSearchParams([[key, value]]), false));
        refuses(() => parseQuery(new URLSearchParams([[key, value]]), true));
        refuses(() => parsePreferences(value));
        refuses(() => negotiate(value));
        refuses(() => parsePath(`/${value}`));
        refuses(() => tablePayload(value, null, undefined));
      }),
      { numRuns: 2000 },
    );
  });

  test("of a function called by GET is an argument, unless it reads as a filter", () => {
    const { args, filters } = parseQuery(new URLSearchParams("a=1&b=eq.2&a=x.y&order=c"), true);
    expect(args).toEqual([
      ["a", "1"],
      ["a", "x.y"],
    ]);
    expect(filters).toHaveLength(1);
    expect(() => parseQuery(new URLSearchParams("a=in.5"), true)).toThrow(RestError);
  });
});

describe("quoting", () => {
  test("a name in quotes is one token that reads back as the name", () => {
    fc.assert(
      fc.property(
        anyText.filter((text) => !text.includes("\0")),
        (name) => {
          const sql = ident(name);
          expect(sql).toMatch(/^"(?:[^"]|"")*"$/);
          expect(sql.slice(1, -1).replaceAll('""', '"')).toBe(name);
        },
      ),
    );
    expect(() => ident("a\0b")).toThrow("null character");
  });

  test("aliases never collide and never grow too long for Postgres", () => {
    fc.assert(
      fc.property(nameText, fc.array(fc.constantFrom("t", "t_1", "😀".repeat(30))), (root, names) => {
        const aliases = new Aliases();
        const all = [aliases.root(root), ...names.map((name) => aliases.next(name))];
        expect(new Set(all).size).toBe(all.length);
        for (const alias of all.slice(1)) expect(Buffer.byteLength(alias)).toBeLessThan(63);
      }),
    );
  });
});

describe("ranges, media types, hints", () => {
  test("limit, offset and header meet", () => {
    expect(rangeOf(10n, 5n, "7-8")).toEqual({ offset: 7n, limit: 2n });
    expect(rangeOf(undefined, undefined, "3-")).toEqual({ offset: 3n, limit: undefined });
    expect(rangeOf(2n, 5n, null)).toEqual({ offset: 5n, limit: 2n });
    expect(rangeOf(0n, 5n, "7-8")).toEqual({ offset: 0n, limit: 0n });
    expect(contentRange(0, 0, undefined)).toBe("*/*");
    expect(contentRange(5, 2, 9)).toBe("5-6/9");
  });

  test("the best acceptable media type is taken", () => {
    expect(negotiate("image/png;q=0.1, */*;q=0.05").contentType).toMatch(/^application\/json/);
    expect(negotiate("application/json;q=0.5, application/vnd.pgrst.object+json").single).toBe(true);
    expect(negotiate(null).single).toBe(false);
  });

  test("hints name the closest", () => {
    expect(mostSimilar("prjects", ["projects", "tasks"], 0.75)).toBe("projects");
    expect(mostSimilar("nothing", ["projects", "tasks"], 0.75)).toBeUndefined();
  });
});
