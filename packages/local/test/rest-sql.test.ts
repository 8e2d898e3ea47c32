import fc from "fast-check";
import { expect, test } from "vitest";
import { RestError } from "../src/rest/errors.ts";
import { parseQuery } from "../src/rest/parse-query.ts";
import { type Asked, plan } from "../src/rest/plan.ts";
import { parsePreferences } from "../src/rest/preferences.ts";
import { SchemaView } from "../src/rest/schema-cache.ts";
import type { Catalogue } from "../src/rest/schema-query.ts";

const column = (name: string, type = "text") => ({ name, type, base: type, default: "'d'::text" });
const catalogue: Catalogue = {
  relations: [
    {
      schema: "public",
      name: 'a"b',
      isView: false,
      isRepresented: false,
      primaryKey: ["id"],
      columns: [column("id", "integer"), column('x"y'), column("data", "jsonb")],
    },
    {
      schema: "public",
      name: "child",
      isView: false,
      isRepresented: false,
      primaryKey: ["id"],
      columns: [column("id", "integer"), column("parent", "integer")],
    },
  ],
  foreignKeys: [
    {
      name: "fk",
      schema: "public",
      relation: "child",
      columns: ["parent"],
      foreignSchema: "public",
      foreignRelation: 'a"b',
      foreignColumns: ["id"],
      isUnique: false,
      inPrimaryKey: false,
    },
  ],
  routines: [
    {
      schema: "public",
      name: "f",
      args: [{ name: 'p"q', type: "text", required: false, variadic: false }],
      isVolatile: false,
      returnsSet: true,
      returnsRows: true,
      returnsVoid: false,
      returnsMedia: false,
      relation: { schema: "public", name: 'a"b' },
      statementTimeout: null,
    },
  ],
  computed: [],
  types: [{ schema: "pg_catalog", name: "text" }],
  roles: [],
  session: {},
};
const view = new SchemaView(catalogue, "public");

/** Every word that the builders may write outside of quotes; the catalogue's own SQL included. */
const WORDS = new Set(
  `with as select from where and or not is null true false unknown distinct in any all like ilike order by asc desc nulls
  first last limit offset exists coalesce json_agg row_to_json json_strip_nulls to_jsonb to_tsvector to_tsquery cast count
  insert into values on conflict do nothing update set delete returning excluded jsonb_build_object jsonb_agg row_1
  json_to_record json_to_recordset jsonb_to_record jsonb_to_recordset json_array_elements jsonb_array_elements json jsonb
  text int integer nullif current_setting set_config lateral character bit body sent total inserted status headers d`
    .split(/\s+/)
    .filter(Boolean),
);
/** Literals of the builders' own. */
const LITERALS = new Set([
  ..."[] null 0 1 -1 d response.status response.headers pgrst.inserted".split(" "),
  "",
]);

function checkSql(sql: string): void {
  const bare = sql
    .replace(/"(?:[^"]|"")*"/g, " ")
    .replace(/\$\d+/g, " ")
    .replace(/'([^']*)'/g, (_, literal: string) => {
      expect(LITERALS).toContain(literal);
      return " ";
    });
  expect(bare).toMatch(/^[a-z0-9_\s,.()*:=<>|&@~+-]*$/);
  expect(bare).not.toContain("--");
  for (const word of bare.match(/[a-z_][a-z0-9_]*/g) ?? []) expect(WORDS).toContain(word);
}

const evil = fc.oneof(
  fc.constantFrom(
    `x"; drop table y; --`,
    "'; reset role",
    "constructor",
    "__proto__",
    "$1",
    "a b",
    'a"b',
    'x"y',
    "data",
  ),
  fc.string({ unit: "binary", minLength: 1, maxLength: 10 }).filter((text) => !text.includes("\0")),
);
const quote = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;
const name = evil.map(quote);
const cast = fc.oneof(fc.constantFrom("text", "constructor", "int4", "char", "valueOf"), evil);
const parameter = fc.oneof(
  fc.tuple(
    fc.constant("select"),
    fc.tuple(name, name, cast).map(([a, b, c]) => `${a}:${b}::${c}`),
  ),
  fc.tuple(
    fc.constant("select"),
    fc.tuple(name, name).map(([a, b]) => `${a}:child!fk!inner(${b}),*`),
  ),
  fc.tuple(
    fc.constant("select"),
    fc.tuple(name, name).map(([a, b]) => `data->${a}->>${b}, child(*)`),
  ),
  fc.tuple(
    name,
    fc
      .tuple(fc.constantFrom("eq", "neq", "like(any)", "not.fts(x)", "isdistinct"), evil)
      .map((p) => p.join(".")),
  ),
  fc.tuple(
    name,
    evil.map((value) => `in.(${quote(value)})`),
  ),
  fc.tuple(
    fc.constant("or"),
    fc.tuple(name, evil).map(([a, b]) => `(${a}.eq.${quote(b)},not.and(${a}.is.null))`),
  ),
  fc.tuple(
    fc.constant("order"),
    name.map((by) => `${by}.desc.nullslast`),
  ),
  fc.tuple(fc.constantFrom("limit", "offset"), fc.oneof(evil, fc.nat().map(String))),
  fc.tuple(fc.constant("on_conflict"), name),
  fc.tuple(fc.constant('"p\\"q"'), evil),
);
const request = fc.record({
  target: fc.constantFrom(
    { kind: "table", name: 'a"b' } as const,
    { kind: "table", name: "child" } as const,
    { kind: "function", name: "f" } as const,
  ),
  method: fc.constantFrom("GET", "POST", "PATCH", "DELETE"),
  parameters: fc.array(parameter, { maxLength: 6 }),
  body: fc.array(fc.dictionary(fc.constantFrom('x"y', "id", "parent", 'p"q'), evil), {
    minLength: 1,
    maxLength: 2,
  }),
  prefer: fc.subarray([
    "return=representation",
    "count=exact",
    "missing=default",
    "resolution=merge-duplicates",
  ]),
  stripNulls: fc.boolean(),
});

test("whatever is asked, the SQL is made of known words, quoted names and parameters", () => {
  let built = 0;
  fc.assert(
    fc.property(request, ({ target, method, parameters, body, prefer, stripNulls }) => {
      try {
        const asked: Asked = {
          ...target,
          method,
          query: parseQuery(new URLSearchParams(parameters), target.kind === "function" && method === "GET"),
          range: { offset: 3n, limit: undefined },
          media: { contentType: "application/json", single: false, stripNulls },
          preferences: parsePreferences(prefer.join(",")),
          body: JSON.stringify(target.kind === "function" ? body[0] : body),
          contentType: null,
          maxRows: 1000,
        };
        const { sql, values } = plan(view, asked);
        built++;
        checkSql(sql);
        const highest = Math.max(
          0,
          ...[...sql.replace(/"(?:[^"]|"")*"/g, "").matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)),
        );
        expect(highest).toBe(values.length);
      } catch (error) {
        if (!(error instanceof RestError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
  expect(built).toBeGreaterThan(300);
});
