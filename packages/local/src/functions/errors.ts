/**
 * Errors of the platform, not of a function, as hosted projects word them
 * (https://supabase.com/docs/guides/functions/error-codes). The code is also in the header `sb-error-code`.
 */
const ERRORS = {
  NOT_FOUND: { status: 404, message: "Requested function was not found" },
  BOOT_ERROR: { status: 503, message: "Function failed to start (please check logs)" },
  WORKER_ERROR: { status: 500, message: "Function exited due to an error (please check logs)" },
  IDLE_TIMEOUT: { status: 504, message: "Request idle timeout limit reached" },
} as const;

const UNAUTHORIZED = {
  UNAUTHORIZED_NO_AUTH_HEADER: "Missing authorization header",
  UNAUTHORIZED_INVALID_JWT_FORMAT: "Invalid JWT",
} as const;

/** The answer for an error of the platform. */
export function platformError(code: keyof typeof ERRORS): Response {
  const { status, message } = ERRORS[code];
  return Response.json({ code, message }, { status, headers: { "sb-error-code": code } });
}

/** The answer of the gateway when `verify_jwt` finds no valid token. */
export function unauthorized(code: keyof typeof UNAUTHORIZED): Response {
  const body = { code: 401, message: UNAUTHORIZED[code] };
  return Response.json(body, { status: 401, headers: { "sb-error-code": code } });
}
