import { buildCall, SCALAR } from "./build-call.ts";
import { type Build, buildRead } from "./build-read.ts";
import { buildDelete, buildInsert, buildUpdate, insertedRows } from "./build-write.ts";
import { notServed, RestError } from "./errors.ts";
import { findRoutine } from "./find-routine.ts";
import type { Media } from "./media.ts";
import type { Condition } from "./parse-filter.ts";
import type { Query } from "./parse-query.ts";
import { callPayload, tablePayload } from "./payload.ts";
import { planRead } from "./plan-read.ts";
import type { Preferences } from "./preferences.ts";
import type { Range } from "./ranges.ts";
import type { SchemaView } from "./schema-cache.ts";
import { Aliases, Parameters, qualified } from "./sql.ts";
import { SOURCE, type StatementParts, statementSql } from "./statement.ts";

/** A request, parsed; what is planned against the schema cache. */
export interface Asked {
  method: string;
  kind: "table" | "function";
  name: string;
  query: Query;
  range: Range;
  media: Media;
  preferences: Preferences;
  body: string;
  contentType: string | null;
  maxRows: number;
}

/** What to run, and how to read what comes of it. */
export interface Plan {
  sql: string;
  values: string[];
  readOnly: boolean;
  /** Settings of the function that is called. */
  settings: Record<string, string>;
  /** The answer has no body, whatever the statement returns. */
  returnsVoid: boolean;
}

const newBuild = (view: SchemaView): Build => ({
  view,
  parameters: new Parameters(),
  aliases: new Aliases(),
});

function finish(build: Build, parts: StatementParts, more: Partial<Plan> = {}): Plan {
  return {
    sql: statementSql(parts),
    values: build.parameters.values,
    readOnly: false,
    settings: {},
    returnsVoid: false,
    ...more,
  };
}

/** The query with the root's range in the place of its limit and offset. */
function ranged({ query, range }: Asked): Query {
  const nested = <T extends { path: string[] }>(items: T[]): T[] =>
    items.filter(({ path }) => path.length > 0);
  const { limit, offset } = range;
  return {
    ...query,
    limits: [...nested(query.limits), ...(limit === undefined ? [] : [{ path: [], value: limit }])],
    offsets: [...nested(query.offsets), ...(offset === 0n ? [] : [{ path: [], value: offset }])],
  };
}

function planTableRead(view: SchemaView, asked: Asked): Plan {
  const { name, media, preferences, method, maxRows } = asked;
  const relation = view.relation(name);
  const node = planRead(view, { origin: name, relation, query: ranged(asked), mode: "read", maxRows });
  const build = newBuild(view);
  const { rows, count } = buildRead(build, node, qualified(relation.schema, name), name);
  return finish(
    build,
    {
      source: undefined,
      rows,
      total: preferences.count ? count : undefined,
      inserted: undefined,
      shape: { media, one: false, column: undefined, empty: method === "HEAD" },
    },
    { readOnly: true },
  );
}

const rootConditions = ({ filters, groups }: Query): Condition[] =>
  [...filters, ...groups].filter(({ path }) => path.length === 0).map(({ value }) => value);

function planTableWrite(view: SchemaView, asked: Asked): Plan {
  const { name, media, preferences, query, method, maxRows } = asked;
  const relation = view.relation(name);
  const read = planRead(view, { origin: name, relation, query, mode: "mutation", maxRows });
  const build = newBuild(view);
  const write = { relation, preferences, read };
  const payload = () => tablePayload(asked.body, asked.contentType, query.columns);
  let source: string;
  if (method === "POST") source = buildInsert(build, write, payload(), query.onConflict);
  else {
    if ([...query.limits, ...query.offsets].some(({ path }) => path.length === 0))
      throw notServed(`limit and offset on ${method}`);
    const conditions = rootConditions(query);
    source =
      method === "PATCH"
        ? buildUpdate(build, write, payload(), conditions)
        : buildDelete(build, write, conditions);
  }
  const isUpsert = method === "POST" && preferences.resolution === "merge-duplicates";
  return finish(build, {
    source,
    // The written rows go by the table's name again, in a scope of their own.
    rows: preferences.representation ? buildRead(build, read, SOURCE, name).rows : `select * from ${SOURCE}`,
    total: undefined,
    inserted: isUpsert ? insertedRows : undefined,
    shape: { media, one: false, column: undefined, empty: !preferences.representation },
  });
}

function planCall(view: SchemaView, asked: Asked): Plan {
  const { name, media, preferences, query, method, maxRows } = asked;
  const byPost = method === "POST";
  const payload = byPost ? callPayload(asked.body, asked.contentType, query.columns) : undefined;
  const given = payload?.keys ?? query.args.map(([argument]) => argument);
  const routine = findRoutine(view, name, given, byPost);
  const { relation: returned, returnsRows, returnsSet } = routine;
  if (routine.returnsMedia) throw notServed("Media type handlers");
  if (preferences.maxAffected !== undefined && !returnsSet)
    throw new RestError(
      400,
      "PGRST128",
      "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
    );
  const known = returnsRows && returned?.schema === view.schema && view.relations.has(returned.name);
  const relation = known ? view.relation(returned.name) : undefined;
  const origin = relation?.name ?? name;
  const node = planRead(view, { origin, relation, query: ranged(asked), mode: "read", maxRows });
  const build = newBuild(view);
  const source = buildCall(build, routine, payload ? { payload } : { texts: query.args });
  const { rows, count } = buildRead(build, node, SOURCE, origin);
  return finish(
    build,
    {
      source,
      rows,
      total: preferences.count ? count : undefined,
      inserted: undefined,
      shape: {
        media,
        one: !returnsSet,
        column: returnsRows ? undefined : SCALAR,
        empty: method === "HEAD",
      },
    },
    {
      readOnly: !byPost || !routine.isVolatile,
      settings: routine.statementTimeout === null ? {} : { statement_timeout: routine.statementTimeout },
      returnsVoid: routine.returnsVoid,
    },
  );
}

/** Turns a request into one statement. Throws RestError. */
export function plan(view: SchemaView, asked: Asked): Plan {
  if (asked.kind === "function") return planCall(view, asked);
  const reads = asked.method === "GET" || asked.method === "HEAD";
  return reads ? planTableRead(view, asked) : planTableWrite(view, asked);
}
