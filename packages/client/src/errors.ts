/** Every way in which a call of this package can fail. */
export type PodbaseErrorCode =
  /** The input does not fit the job's definition; see `issues`. */
  | "invalid_input"
  /** No job of that kind is deployed. */
  | "unknown_job_kind"
  /** The idempotency key was used before, with another input. */
  | "idempotency_conflict"
  /** The input is larger than the server takes. */
  | "payload_too_large"
  /** There is no such job, or it belongs to somebody else. */
  | "job_not_found"
  /** Only a job that failed or was canceled can be tried again. */
  | "not_retryable"
  /** There is no such file, or it belongs to somebody else. */
  | "not_found"
  /** The server did not accept the session, or it may not do this. */
  | "unauthorized"
  /** Nobody is signed in (any more), or somebody else is. */
  | "signed_out"
  /** Too many requests; worth repeating later. */
  | "rate_limited"
  /** Too many unfinished jobs; worth repeating when one of them has ended. */
  | "quota_exceeded"
  /** The server could not be reached, or did not answer in time; worth repeating. */
  | "network"
  /** The server failed; worth repeating. */
  | "server_error"
  /** The project lacks Podbase's schema, functions or bucket, or does not expose the schema. */
  | "not_installed"
  /** The caller's AbortSignal fired. */
  | "aborted"
  /** `close()` was called. */
  | "closed"
  /** An answer outside the contract, such as one of an incompatible server version. */
  | "unexpected";

/** One thing wrong with an input: where, as a path from the request's root, and what. */
export interface Issue {
  path: (string | number)[];
  message: string;
}

/** What {@link PodbaseError} is made of. */
export interface PodbaseErrorDetails {
  /** HTTP status of the answer, if there was one. */
  status?: number | null;
  /** What is wrong with the input, when the code is `invalid_input`. */
  issues?: Issue[];
  /** The error underneath. */
  cause?: unknown;
}

const RETRYABLE: ReadonlySet<PodbaseErrorCode> = new Set([
  "network",
  "rate_limited",
  "quota_exceeded",
  "server_error",
]);

/** The only error class of this package. Switch on `code`; `message` is for developers. */
export class PodbaseError extends Error {
  override readonly name = "PodbaseError";
  readonly code: PodbaseErrorCode;
  /** HTTP status of the answer, or null when none arrived. */
  readonly status: number | null;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** What is wrong with the input; only with code `invalid_input`. */
  readonly issues?: Issue[];

  constructor(code: PodbaseErrorCode, message: string, details: PodbaseErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status ?? null;
    this.retryable = RETRYABLE.has(code);
    if (details.issues) this.issues = details.issues;
  }
}

/** What one-shot calls resolve to, as everywhere in supabase-js: exactly one of the two is set. */
export type Result<T> = { data: T; error: null } | { data: null; error: PodbaseError };

/** The code for an HTTP status whose body says nothing better. */
export const codeOfStatus = (status: number): PodbaseErrorCode => {
  if (status === 0) return "network";
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 404) return "not_found";
  if (status === 408) return "network";
  if (status === 413) return "payload_too_large";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "server_error" : "unexpected";
};

/** Any error as one of ours. */
export const asPodbaseError = (error: unknown): PodbaseError =>
  error instanceof PodbaseError
    ? error
    : new PodbaseError("unexpected", error instanceof Error ? error.message : String(error), {
        cause: error,
      });
