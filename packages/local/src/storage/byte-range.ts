import { StorageError } from "./storage-error.ts";

/** Offsets of the first and last byte, both included. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The one range that a `Range` header asks of `size` bytes, cut at the end of the file. Throws StorageError
 * `InvalidRange` (HTTP 416) for any other, several ranges included (supabase/storage, src/storage/range.ts).
 */
export function parseRange(header: string, size: number): ByteRange {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  const start = first ? Number(first) : Math.max(0, size - Number(last || 0));
  const end = first && last ? Math.min(Number(last), size - 1) : size - 1;
  if ((first || last) && start <= end) return { start, end };
  throw new StorageError(416, "InvalidRange", "invalid range provided", {
    error: "invalid_range",
    httpStatus: 416,
  });
}
