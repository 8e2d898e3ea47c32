import postgres from "postgres";

/** Classes of SQLSTATE that blame the server or the connection: 08, 53, 57 (shutdown), 58 and XX. */
const SERVER_CLASSES = ["08", "53", "57", "58", "XX"];
/** In class 57 but the statement's own: `query_canceled`, by a time limit. */
const QUERY_CANCELED = "57014";

/**
 * True when Postgres refused what it was asked, as a policy that fails does. Any other error is the database's, and
 * must not look like a refusal.
 */
export function isStatementError(error: unknown): error is postgres.PostgresError {
  if (!(error instanceof postgres.PostgresError)) return false;
  return error.code === QUERY_CANCELED || !SERVER_CLASSES.includes(error.code.slice(0, 2));
}
