import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { parseRange } from "./byte-range.ts";
import type { FileMetadata, StoredObject } from "./objects.ts";
import type { StorageContext } from "./storage-context.ts";
import { noSuchKey } from "./storage-error.ts";

/** How often a reader may meet an overwrite between the row and its file before it gives up. */
const ATTEMPTS = 5;

/** More that a response may say. */
export interface ServeOptions {
  /** When the signed URL ends; replaces `cache-control`. */
  expires?: Date;
}

/**
 * Answers GET and HEAD for the object that `find` looks up: whole or one range, 304 when the caller has it,
 * `?download=<name>` as an attachment. Headers as supabase/storage, src/storage/renderer. Throws StorageError.
 */
export async function serveObject(
  storage: StorageContext,
  request: Request,
  find: () => Promise<StoredObject | undefined>,
  options: ServeOptions = {},
): Promise<Response> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const object = await find();
    if (!object?.metadata || !object.version) throw noSuchKey();
    const { metadata } = object;
    const headers = headersOf(request, metadata, options);
    if (isFresh(request, metadata)) return new Response(null, { status: 304, headers });
    const range = rangeOf(request, metadata);
    const length = range ? range.end - range.start + 1 : metadata.size;
    headers.set("content-length", String(length));
    if (range) headers.set("content-range", `bytes ${range.start}-${range.end}/${metadata.size}`);
    const status = range ? 206 : 200;
    if (request.method === "HEAD") return new Response(null, { status, headers });
    const file = await storage.files.open(object.version);
    // Gone between the two look-ups: overwritten or deleted, and the row says which.
    if (file) return new Response(await contents(file, length, range?.start ?? 0), { status, headers });
  }
  throw noSuchKey();
}

async function contents(file: FileHandle, length: number, start: number): Promise<ReadableStream | null> {
  if (length === 0) {
    await file.close();
    return null;
  }
  return Readable.toWeb(file.createReadStream({ start, end: start + length - 1 })) as ReadableStream;
}

function headersOf(request: Request, metadata: FileMetadata, { expires }: ServeOptions): Headers {
  const headers = new Headers({
    "accept-ranges": "bytes",
    // As the hosted API: no page is served out of a bucket.
    "content-type": metadata.mimetype.includes("text/html") ? "text/plain" : metadata.mimetype,
    etag: metadata.eTag,
    "last-modified": new Date(metadata.lastModified).toUTCString(),
    "x-robots-tag": "none",
    ...(expires ? { expires: expires.toUTCString() } : { "cache-control": metadata.cacheControl }),
  });
  const download = new URL(request.url).searchParams.get("download");
  if (download !== null) {
    const name = encodeURIComponent(download);
    headers.set(
      "content-disposition",
      name ? `attachment; filename=${name}; filename*=UTF-8''${name}` : "attachment;",
    );
  }
  return headers;
}

function isFresh(request: Request, metadata: FileMetadata): boolean {
  const tags = request.headers.get("if-none-match");
  if (tags !== null) {
    return tags.split(",").some((tag) => ["*", metadata.eTag].includes(tag.trim().replace(/^W\//, "")));
  }
  const since = Date.parse(request.headers.get("if-modified-since") ?? "");
  // HTTP dates have no milliseconds.
  return Math.floor(Date.parse(metadata.lastModified) / 1000) * 1000 <= since;
}

function rangeOf(request: Request, metadata: FileMetadata) {
  const header = request.headers.get("range");
  const condition = request.headers.get("if-range");
  if (header === null || (condition !== null && condition !== metadata.eTag)) return undefined;
  return parseRange(header, metadata.size);
}
