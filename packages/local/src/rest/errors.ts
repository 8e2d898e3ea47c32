/** An answer of the REST service that is not a result, in PostgREST's shape (PostgREST docs, "Errors"). */
export class RestError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: unknown;
  readonly hint: string | null;
  /** Further response headers, and `statusText`, which only `raise sqlstate 'PGRST'` sets. */
  readonly headers: Record<string, string>;
  readonly statusText: string;

  constructor(
    status: number,
    code: string,
    message: string,
    more: {
      details?: unknown;
      hint?: string | null;
      headers?: Record<string, string>;
      statusText?: string;
    } = {},
  ) {
    super(message);
    this.name = "RestError";
    this.status = status;
    this.code = code;
    this.details = more.details ?? null;
    this.hint = more.hint ?? null;
    this.headers = more.headers ?? {};
    this.statusText = more.statusText ?? "";
  }
}

/** What hosted answers and this service doesn't: 501, never a guess. `feature` starts the sentence. */
export const notServed = (feature: string): RestError =>
  new RestError(501, "not_implemented", `${feature}: not served by the local stack`);

/** PGRST100: a query parameter that doesn't parse. `column` counts from 1. */
export const unparsable = (what: string, column: number, details: string): RestError =>
  new RestError(400, "PGRST100", `"failed to parse ${what}" (line 1, column ${column})`, { details });

/** PGRST102: a body that can't be used. */
export const badBody = (message: string): RestError => new RestError(400, "PGRST102", message);

/** PGRST103: a range outside of the result. */
export const badRange = (details: string): RestError =>
  new RestError(416, "PGRST103", "Requested range not satisfiable", { details });

/** PGRST108: a parameter for an embedding that `select` doesn't name. */
export const notEmbedded = (name: string): RestError =>
  new RestError(400, "PGRST108", `'${name}' is not an embedded resource in this request`, {
    hint: `Verify that '${name}' is included in the 'select' query parameter.`,
  });

/** PGRST116: one object was asked for, and `rows` were found. */
export const notSingular = (rows: number): RestError =>
  new RestError(406, "PGRST116", "Cannot coerce the result to a single JSON object", {
    details: `The result contains ${rows} rows`,
  });

/** Codes that a fresher schema cache may turn into a result. */
const MISSES = new Set(["PGRST200", "PGRST202", "PGRST204", "PGRST205"]);

/** Whether the schema cache lacked what was asked for. */
export const isCacheMiss = (error: unknown): boolean => error instanceof RestError && MISSES.has(error.code);

/** The error as PostgREST sends it. */
export function errorResponse(error: RestError): Response {
  const { code, details, hint, message, status, statusText } = error;
  return new Response(JSON.stringify({ code, details, hint, message }), {
    status,
    statusText,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "proxy-status": `PostgREST; error=${code}`,
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
      ...error.headers,
    },
  });
}
