import { codeOfStatus, PodbaseError, type PodbaseErrorCode } from "./errors.ts";

// PostgREST's own codes and SQLSTATEs that reach this client (docs.postgrest.org/en/stable/references/errors.html).
const CODES: Record<string, PodbaseErrorCode> = {
  PB001: "idempotency_conflict",
  PB002: "server_error",
  PB003: "invalid_input",
  PB005: "job_not_found",
  PB006: "not_retryable",
  PB007: "payload_too_large",
  PB008: "rate_limited",
  PB009: "quota_exceeded",
  "22P02": "invalid_input",
  // Of a user who does not exist.
  "23503": "invalid_input",
  "42501": "unauthorized",
  "42P01": "not_installed",
  PGRST106: "not_installed",
  PGRST200: "not_installed",
  PGRST202: "not_installed",
  PGRST205: "not_installed",
};

/** Turns the error half of a PostgREST answer (status 0: no answer) into ours. */
export const fromRestError = (error: { code: string; message: string }, status: number): PodbaseError =>
  new PodbaseError(CODES[error.code] ?? codeOfStatus(status), error.message, {
    status: status || null,
    cause: error,
  });
