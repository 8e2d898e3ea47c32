import postgres from "postgres";
import { z } from "zod";
import { RestError } from "./errors.ts";

/** Status by SQLSTATE, exact ones first, then by class (PostgREST docs, "HTTP Status Codes"). */
const EXACT: Record<string, number> = {
  "23503": 409,
  "23505": 409,
  "25006": 405,
  "42883": 404,
  "42P01": 404,
  "42P17": 500,
  "53400": 500,
  "57P01": 503,
  P0001: 400,
};
const CLASS: Record<string, number> = {
  "08": 503,
  "09": 500,
  "0L": 403,
  "0P": 403,
  "25": 500,
  "28": 403,
  "2D": 500,
  "38": 500,
  "39": 500,
  "3B": 500,
  "40": 500,
  "53": 503,
  "54": 500,
  "55": 500,
  "57": 500,
  "58": 500,
  F0: 500,
  HV: 500,
  P0: 500,
  XX: 500,
};

function statusOf(error: postgres.PostgresError, anonymous: boolean): number {
  const { code, message } = error;
  if (code === "42501") return anonymous ? 401 : 403;
  if (code === "21000") return message.endsWith("requires a WHERE clause") ? 400 : 500;
  if (code === "22023") return /^role .* does not exist$/.test(message) ? 401 : 400;
  const custom = /^PT(\d{3})$/.exec(code)?.[1];
  if (custom) return Number(custom) >= 200 && Number(custom) <= 599 ? Number(custom) : 500;
  return EXACT[code] ?? CLASS[code.slice(0, 2)] ?? 400;
}

const RaisedMessage = z.object({
  code: z.string(),
  message: z.string(),
  details: z.string().nullish(),
  hint: z.string().nullish(),
});
const RaisedDetail = z.object({
  status: z.number().int().min(200).max(599),
  status_text: z.string().optional(),
  headers: z.record(z.string(), z.string()),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const badRaise = (details: string, hint: string): RestError =>
  new RestError(500, "PGRST121", `Could not parse JSON in the "RAISE SQLSTATE 'PGRST'" error`, {
    details,
    hint,
  });

/** `raise sqlstate 'PGRST'`: the database decides the whole answer (PostgREST docs, "RAISE errors with HTTP Status Codes"). */
function raised(error: postgres.PostgresError): RestError {
  const message = RaisedMessage.safeParse(parseJson(error.message));
  if (!message.success)
    return badRaise(
      `Invalid JSON value for MESSAGE: '${error.message}'`,
      "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.",
    );
  const detail = RaisedDetail.safeParse(parseJson(error.detail ?? ""));
  if (!detail.success)
    return badRaise(
      error.detail
        ? `Invalid JSON value for DETAIL: '${error.detail}'`
        : "DETAIL is missing in the RAISE statement",
      "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.",
    );
  return new RestError(detail.data.status, message.data.code, message.data.message, {
    details: message.data.details ?? null,
    hint: message.data.hint ?? null,
    headers: detail.data.headers,
    statusText: detail.data.status_text ?? "",
  });
}

/**
 * What a failed statement means to the caller. `anonymous` callers get 401 where others get 403.
 * Returns undefined for errors that are neither the database's nor the connection's.
 */
export function fromDatabase(error: unknown, anonymous: boolean): RestError | undefined {
  if (error instanceof postgres.PostgresError) {
    if (error.code === "PGRST") return raised(error);
    return new RestError(statusOf(error, anonymous), error.code, error.message, {
      details: error.detail ?? null,
      hint: error.hint ?? null,
    });
  }
  // postgres.js names its own errors CONNECTION_CLOSED, CONNECT_TIMEOUT …, the socket's ECONNREFUSED.
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === "string" && /^(CONNECT|ECONN)/.test(code))
    return new RestError(503, "PGRST000", "Database connection error. Retrying the connection.", {
      details: (error as Error).message,
    });
  return undefined;
}
