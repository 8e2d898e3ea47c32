/** Everything that can be wrong, as clients see it. One docs entry each in docs/troubleshooting.md. */
export type ErrorCode =
  | "invalid_input"
  | "unauthorized"
  | "unknown_job_kind"
  | "job_not_found"
  | "not_found"
  | "method_not_allowed"
  | "idempotency_conflict"
  | "payload_too_large"
  | "unsupported_media_type"
  | "unknown_route"
  | "invalid_plan"
  | "illegal_transition"
  | "not_retryable"
  | "rate_limited"
  | "quota_exceeded"
  | "provider_unavailable"
  | "internal";

const STATUS: Record<ErrorCode, number> = {
  invalid_input: 400,
  unauthorized: 401,
  unknown_job_kind: 404,
  job_not_found: 404,
  not_found: 404,
  method_not_allowed: 405,
  idempotency_conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  unknown_route: 500,
  invalid_plan: 500,
  illegal_transition: 500,
  not_retryable: 409,
  rate_limited: 429,
  quota_exceeded: 429,
  provider_unavailable: 503,
  internal: 500,
};

/** SQLSTATE → code, one to one. The SQLSTATEs are raised by the functions in supabase/migrations. */
const SQLSTATES: Record<string, ErrorCode> = {
  PB001: "idempotency_conflict",
  PB002: "unknown_route",
  PB003: "invalid_plan",
  PB004: "illegal_transition",
  PB005: "job_not_found",
  PB006: "not_retryable",
  PB007: "payload_too_large",
  PB008: "rate_limited",
  PB009: "quota_exceeded",
};

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  "rate_limited",
  "quota_exceeded",
  "provider_unavailable",
  "internal",
]);

/** One thing wrong with a request; `path` leads to it from the body's root. */
export interface Issue {
  path: (string | number)[];
  message: string;
}

/** The only error class of Podbase. */
export class PodbaseError extends Error {
  readonly code: ErrorCode;
  /** HTTP status that goes with the code. */
  readonly status: number;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  readonly issues: Issue[] | undefined;
  /** Seconds after which the same call may succeed, where that is known. */
  readonly retryAfterS: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { issues?: Issue[]; retryAfterS?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "PodbaseError";
    this.code = code;
    this.status = STATUS[code];
    this.retryable = RETRYABLE.has(code);
    this.issues = options.issues;
    this.retryAfterS = options.retryAfterS;
  }

  /** The body that functions answer with. Never carries the cause. */
  toJSON(): { error: { code: ErrorCode; message: string; issues?: Issue[] } } {
    return {
      error: { code: this.code, message: this.message, ...(this.issues ? { issues: this.issues } : {}) },
    };
  }
}

/**
 * Turns an error of the database (as PostgREST reports it) into a PodbaseError. The details of PB008 and PB009 are the
 * seconds after which to try again, or nothing when that would never help; those of PB001 the offending key, and its hint
 * is the place in a call of many.
 */
export function fromDatabaseError(error: {
  code?: string;
  message: string;
  details?: string | null;
}): PodbaseError {
  const code = SQLSTATES[error.code ?? ""];
  if (!code) return new PodbaseError("internal", "the database refused the call", { cause: error });
  const limited = code === "rate_limited" || code === "quota_exceeded";
  return new PodbaseError(code, error.message, {
    ...(limited && error.details ? { retryAfterS: Number(error.details) } : {}),
    cause: error,
  });
}
