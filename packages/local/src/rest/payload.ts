import { badBody, notServed } from "./errors.ts";

/** A JSON body: its text goes to Postgres as it is, so that no number is rounded on the way. */
export interface Payload {
  json: string;
  isObject: boolean;
  /** Names of the columns or arguments it carries. */
  keys: string[];
}

const EMPTY_ARRAY: Payload = { json: "[]", isObject: false, keys: [] };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function requireJson(contentType: string | null): void {
  const type = (contentType ?? "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json") return;
  if (/^(text\/(csv|plain|xml)|application\/(x-www-form-urlencoded|octet-stream))$/.test(type))
    throw notServed(`Content-Type ${type}`);
  throw badBody(`Content-Type not acceptable: ${type}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw badBody("Empty or invalid json");
    throw error;
  }
}

function keysOfRows(rows: unknown[]): string[] | undefined {
  const [first] = rows;
  if (!isRecord(first)) return undefined;
  const keys = Object.keys(first);
  const uniform = rows.every(
    (row) =>
      isRecord(row) &&
      Object.keys(row).length === keys.length &&
      keys.every((key) => Object.hasOwn(row, key)),
  );
  return uniform ? keys : undefined;
}

/**
 * The body of a write. `columns` (the parameter) says which keys count; without it all rows must have the same.
 * Throws RestError PGRST102.
 */
export function tablePayload(
  text: string,
  contentType: string | null,
  columns: string[] | undefined,
): Payload {
  requireJson(contentType);
  // Postgres itself judges the JSON here, as it does behind PostgREST.
  if (columns) return { json: text, isObject: text.trimStart().startsWith("{"), keys: [...new Set(columns)] };
  const value = parse(text);
  if (isRecord(value)) return { json: text, isObject: true, keys: Object.keys(value) };
  // PostgREST takes a bare value for no rows.
  if (!Array.isArray(value) || value.length === 0) return EMPTY_ARRAY;
  const keys = keysOfRows(value);
  if (!keys) throw badBody("All object keys must match");
  return { json: text, isObject: false, keys };
}

/** The body of a function call: an object of arguments, or nothing. Throws RestError PGRST102 or 501. */
export function callPayload(
  text: string,
  contentType: string | null,
  columns: string[] | undefined,
): Payload {
  requireJson(contentType);
  if (text === "") return { json: "{}", isObject: true, keys: [] };
  const value = parse(text);
  if (isRecord(value)) return { json: text, isObject: true, keys: columns ?? Object.keys(value) };
  if (!Array.isArray(value)) throw notServed("A function call whose body is neither object nor array");
  if (value.length > 0 && !keysOfRows(value)) throw badBody("All object keys must match");
  return { json: text, isObject: false, keys: columns ?? keysOfRows(value) ?? [] };
}
