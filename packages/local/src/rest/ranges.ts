import { badRange } from "./errors.ts";

/** Which rows of the result are wanted; `limit` undefined means all. */
export interface Range {
  offset: bigint;
  limit: bigint | undefined;
}

const least = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined ? b : b === undefined || a < b ? a : b;

/**
 * The rows that `limit`, `offset` and, on GET, the `Range` header ask for together. Throws RestError PGRST103.
 */
export function rangeOf(limit: bigint | undefined, offset: bigint | undefined, header: string | null): Range {
  const [, from, to] = /^(\d+)-(\d*)$/.exec(header ?? "") ?? [];
  if (limit === 0n) return { offset: 0n, limit: 0n };
  if (limit !== undefined && limit < 0n) throw badRange("Limit should be greater than or equal to zero.");
  const start = offset ?? 0n;
  if (from === undefined) return { offset: start, limit };
  const first = BigInt(from) > start ? BigInt(from) : start;
  const last = least(to ? BigInt(to) : undefined, limit === undefined ? undefined : start + limit - 1n);
  if (last !== undefined && last < first)
    throw badRange(
      "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
    );
  return { offset: first, limit: last === undefined ? undefined : last - first + 1n };
}

/** `range` with no more than `maxRows` rows. */
export const capped = (range: Range, maxRows: number): Range => ({
  offset: range.offset,
  limit: least(range.limit, BigInt(maxRows)),
});

/** `0-9/100`: rows sent from `offset` on, and all there are, when that was counted. */
export function contentRange(offset: number, sent: number, total: number | undefined): string {
  const rows = sent > 0 && total !== 0 ? `${offset}-${offset + sent - 1}` : "*";
  return `${rows}/${total ?? "*"}`;
}

/** 200, or 206 when there is more. Throws RestError PGRST103 when the range begins behind the end. */
export function rangeStatus(offset: number, sent: number, total: number | undefined): 200 | 206 {
  if (total === undefined) return 200;
  if (offset > total)
    throw badRange(`An offset of ${offset} was requested, but there are only ${total} rows.`);
  return sent < total ? 206 : 200;
}
