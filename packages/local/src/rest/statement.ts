import type { Media } from "./media.ts";
import { ident } from "./sql.ts";

/** How the rows of the result become the body. */
export interface Shape {
  media: Media;
  /** The body is one value and not an array, whatever the media type: a function that returns no set. */
  one: boolean;
  /** The column that is the value; undefined when whole rows are. */
  column: string | undefined;
  /** Nobody reads the body. */
  empty: boolean;
}

/** The rows that data-modifying statements and calls leave for the read. */
export const SOURCE = ident("_source");
const ROWS = ident("_rows");

function bodySql({ media, one, column, empty }: Shape): string {
  if (empty) return "null::text";
  const value = column === undefined ? `${ROWS}.*` : `${ROWS}.${ident(column)}`;
  const array = media.stripNulls ? `json_strip_nulls(json_agg(${value}))` : `json_agg(${value})`;
  return one || media.single ? `coalesce(${array} -> 0, 'null')::text` : `coalesce(${array}, '[]')::text`;
}

/** The parts of a statement. */
export interface StatementParts {
  /** What writes or calls; `rows` reads from `SOURCE` then. */
  source: string | undefined;
  rows: string;
  /** SQL of the number of all rows, when it is to be counted. */
  total: string | undefined;
  /** SQL of the number of rows that an upsert added. */
  inserted: string | undefined;
  shape: Shape;
}

/** One row: what came of a statement. Counts are texts, since they may pass 2^31. */
export interface Outcome {
  body: string | null;
  sent: string;
  total: string | null;
  inserted: number | null;
  /** Settings by which the database may override the answer (PostgREST docs, "Response Headers"). */
  status: string | null;
  headers: string | null;
}

/** The single statement of a request; its row is an `Outcome`. */
export function statementSql({ source, rows, total, inserted, shape }: StatementParts): string {
  return [
    source === undefined ? "" : `with ${SOURCE} as (${source})`,
    `select ${bodySql(shape)} as body, ${shape.one ? "'1'" : "count(*)::text"} as sent,`,
    `${total === undefined ? "null" : `(${total})::text`} as total, ${inserted ?? "null::int"} as inserted,`,
    `nullif(current_setting('response.status', true), '') as status,`,
    `nullif(current_setting('response.headers', true), '') as headers from (${rows}) as ${ROWS}`,
  ]
    .filter(Boolean)
    .join(" ");
}
