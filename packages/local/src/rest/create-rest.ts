import { asClaims } from "../as-claims.ts";
import type { Claims, Service, StackContext } from "../context.ts";
import { CredentialError } from "../keys.ts";
import { errorResponse, isCacheMiss, notServed, notSingular, RestError } from "./errors.ts";
import { negotiate } from "./media.ts";
import { parseQuery } from "./parse-query.ts";
import { fromDatabase } from "./pg-errors.ts";
import { type Asked, type Plan, plan } from "./plan.ts";
import { parsePreferences } from "./preferences.ts";
import { rangeOf } from "./ranges.ts";
import { chooseSchema, PREFIX, parsePath, type Resource, requestSettings } from "./request.ts";
import { respond } from "./respond.ts";
import { EXTRA_SEARCH_PATH, type Schema, SchemaCache, type SchemaView } from "./schema-cache.ts";
import { ident, UNTYPED } from "./sql.ts";
import type { Outcome } from "./statement.ts";

/** What of the database is served, and how much at once. */
export interface RestOptions {
  /** Exposed schemas, the first of them by default (`api.schemas` of config.toml). */
  schemas: string[];
  /** No read returns more rows (`api.max_rows`). */
  maxRows: number;
}

/** The extended protocol takes one statement at a time, whatever its text. */
const ONE_STATEMENT = { prepare: true, simple: false };

function checkMethod(method: string, { kind }: NonNullable<Resource>): void {
  if (method === "OPTIONS") throw notServed("OPTIONS");
  if (kind === "function") {
    if (!["GET", "HEAD", "POST"].includes(method))
      throw new RestError(405, "PGRST101", `Cannot use the ${method} method on RPC`);
  } else {
    if (method === "PUT") throw notServed("PUT");
    if (!["GET", "HEAD", "POST", "PATCH", "DELETE"].includes(method))
      throw new RestError(405, "PGRST117", `Unsupported HTTP method: ${method}`);
  }
}

async function ask(request: Request, resource: NonNullable<Resource>, maxRows: number): Promise<Asked> {
  const { method, headers } = request;
  const reads = method === "GET" || method === "HEAD";
  const query = parseQuery(new URL(request.url).searchParams, resource.kind === "function" && reads);
  const rootOf = (values: { path: string[]; value: bigint }[]) =>
    values.findLast(({ path }) => path.length === 0)?.value;
  const writesTable = resource.kind === "table" && !reads;
  return {
    ...resource,
    method,
    query,
    range: writesTable
      ? { offset: 0n, limit: undefined }
      : rangeOf(rootOf(query.limits), rootOf(query.offsets), method === "GET" ? headers.get("range") : null),
    media: negotiate(headers.get("accept")),
    preferences: parsePreferences(headers.get("prefer")),
    body: await request.text(),
    contentType: headers.get("content-type"),
    maxRows,
  };
}

/** Throws RestError PGRST116 and PGRST124, which undo what the statement did. */
function checkOutcome({ kind, media, method, preferences }: Asked, outcome: Outcome): void {
  const rows = Number(outcome.sent);
  if (media.single && rows !== 1) throw notSingular(rows);
  const { maxAffected } = preferences;
  const limited = kind === "function" || method === "PATCH" || method === "DELETE";
  if (limited && maxAffected !== undefined && rows > maxAffected)
    throw new RestError(400, "PGRST124", "Query result exceeds max-affected preference constraint", {
      details: `The query affects ${rows} rows`,
    });
}

/** The caller's own errors, the database's, and bugs, as an answer. */
function toRestError(error: unknown, anonymous: boolean, ctx: StackContext): RestError {
  if (error instanceof RestError) return error;
  if (error instanceof CredentialError) return new RestError(error.status, error.code, error.message);
  const fromPostgres = fromDatabase(error, anonymous);
  if (fromPostgres) return fromPostgres;
  ctx.log(`rest: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return new RestError(500, "PGRSTX00", "Internal error of the REST service; see its log");
}

/**
 * PostgREST's part of a project: tables, views and functions of the exposed schemas under `/rest/v1`, as far as
 * supabase-js uses them. What isn't served answers 501 `not_implemented`. Callers are who `ctx.keys` says they are, and
 * every statement runs as their role. Close it before `ctx.sql` ends.
 */
export async function createRest(ctx: StackContext, { schemas, maxRows }: RestOptions): Promise<Service> {
  const cache = new SchemaCache(ctx.sql, schemas);
  const drop = () => cache.drop();
  // Notifications are missed while the connection is down, so each new one begins with a fresh reading.
  const listening = await ctx.sql.listen("pgrst", drop, drop);

  const execute = (
    request: Request,
    path: string,
    claims: Claims,
    asked: Asked,
    { schema, view, planned }: { schema: Schema; view: SchemaView; planned: Plan },
  ): Promise<Outcome> => {
    const settings = {
      // As behind PostgREST: `authenticator` may take the API's roles only.
      session_authorization: "authenticator",
      search_path: [view.schema, ...EXTRA_SEARCH_PATH].map(ident).join(", "),
      ...schema.settingsOf(claims.role),
      ...planned.settings,
      ...requestSettings(request, path),
      ...(asked.preferences.timezone === undefined ? {} : { timezone: asked.preferences.timezone }),
      ...(planned.readOnly ? { transaction_read_only: "on" } : {}),
    };
    return asClaims(
      ctx.sql,
      claims,
      async (tx) => {
        const [outcome] = await tx.unsafe<Outcome[]>(
          `/* schema ${schema.number} */ ${planned.sql}`,
          planned.values.map((value) => tx.typed(value, UNTYPED)),
          ONE_STATEMENT,
        );
        if (!outcome) throw new Error("the statement returned no row");
        checkOutcome(asked, outcome);
        return outcome;
      },
      settings,
    );
  };

  const serve = async (request: Request, claims: Claims): Promise<Response> => {
    const path = new URL(request.url).pathname.slice(PREFIX.length) || "/";
    const resource = parsePath(path);
    if (!resource) throw notServed("The OpenAPI description");
    checkMethod(request.method, resource);
    const name = chooseSchema(request, schemas);
    const asked = await ask(request, resource, maxRows);
    const against = (schema: Schema) => {
      const view = schema.views.get(name);
      if (!view) throw new Error(`schema ${name} has no view`);
      return { schema, view, planned: plan(view, asked) };
    };
    const schema = await cache.get();
    let ready: ReturnType<typeof against>;
    try {
      ready = against(schema);
    } catch (error) {
      if (!isCacheMiss(error)) throw error;
      ready = against(await cache.after(schema));
    }
    const outcome = await execute(request, path, claims, asked, ready);
    return respond(asked, name, ready.planned, outcome);
  };

  return {
    async fetch(request) {
      let anonymous = true;
      try {
        const claims = await ctx.keys.resolve(request.headers);
        anonymous = claims.role === "anon";
        return await serve(request, claims);
      } catch (error) {
        return errorResponse(toRestError(error, anonymous, ctx));
      }
    },
    close: () => listening.unlisten(),
  };
}
