import type postgres from "postgres";

/** A refusal as Supabase Auth words it. `code` is one of its error codes (supabase/auth, internal/api/apierrors). */
export class AuthError extends Error {
  readonly status: number;
  readonly code: string;
  /** Extra fields of the body, such as the reasons of a weak password. */
  readonly details: Record<string, unknown>;

  constructor(
    status: number,
    code: string,
    message: string,
    details: Record<string, unknown> = {},
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = "AuthError";
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** SQLSTATE of an error that Postgres raised, or undefined for any other. */
export const sqlState = (error: unknown): string | undefined =>
  (error as Error).name === "PostgresError" ? (error as postgres.PostgresError).code : undefined;

/** The answer to what a hosted project does and the local stack does not. */
export const notServed = (what: string): AuthError =>
  new AuthError(501, "not_implemented", `${what} is not served by the local stack`);

const API_VERSION = "2024-01-01";

/**
 * The error as a response. Clients that send `x-supabase-api-version` (supabase-js does) get `{code, message}` and
 * the version back, others the first shape `{code, error_code, msg}`: supabase/auth, internal/api/errors.go.
 */
export function errorResponse(error: AuthError, request: Request): Response {
  const headers = new Headers({ "x-sb-error-code": error.code });
  if ((request.headers.get("x-supabase-api-version") ?? "") < API_VERSION) {
    const body = { code: error.status, error_code: error.code, msg: error.message, ...error.details };
    return Response.json(body, { status: error.status, headers });
  }
  headers.set("x-supabase-api-version", API_VERSION);
  const body = { code: error.code, message: error.message, ...error.details };
  return Response.json(body, { status: error.status, headers });
}
