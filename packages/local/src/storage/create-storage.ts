import { join } from "node:path";
import type { Service, StackContext } from "../context.ts";
import { createBucket, deleteBucket, emptyBucket, getBucket, listBuckets, updateBucket } from "./buckets.ts";
import { requireCaller } from "./caller.ts";
import { copyObject } from "./copy-object.ts";
import { openFiles } from "./files.ts";
import { listObjects } from "./list-objects.ts";
import { moveObject } from "./move-object.ts";
import { pathSegments } from "./names.ts";
import { objectInfo, readObject } from "./read-object.ts";
import { removeObject, removeObjects } from "./remove-objects.ts";
import { readSigned, signDownload, signDownloads } from "./signed-download.ts";
import { signUpload, uploadSigned } from "./signed-upload.ts";
import type { StorageContext } from "./storage-context.ts";
import { asStorageError, notServed } from "./storage-error.ts";
import { uploadObject } from "./upload-object.ts";

const PREFIX = "/storage/v1";
const DEFAULT_FILE_SIZE_LIMIT = 50 * 1024 * 1024;

/** Options of the Storage service. */
export interface StorageOptions {
  /** No object may be larger, whatever its bucket says; bytes. 50 MiB when absent, as on the free plan. */
  fileSizeLimit?: number;
}

/**
 * Supabase Storage for storage-js: buckets and objects under row level security, signed URLs, ranges. The bytes are
 * in `<dataDir>/objects`. Resumable uploads, S3, image transformation, vectors and analytics answer 501.
 */
export async function createStorage(ctx: StackContext, options: StorageOptions = {}): Promise<Service> {
  const storage: StorageContext = {
    ...ctx,
    files: await openFiles(join(ctx.dataDir, "objects")),
    fileSizeLimit: options.fileSizeLimit ?? DEFAULT_FILE_SIZE_LIMIT,
  };
  return {
    async fetch(request) {
      try {
        return await route(storage, request);
      } catch (error) {
        const known = asStorageError(error);
        await readAway(request);
        if (known.statusCode === 500)
          storage.log(`storage: ${(known.cause as Error)?.message ?? known.message}`);
        return Response.json(known, { status: known.httpStatus });
      }
    },
  };
}

/** Reads a body that nobody looked at, so that its sender gets the answer instead of a reset. */
async function readAway(request: Request): Promise<void> {
  if (!request.body || request.bodyUsed) return;
  // A sender who hangs up meanwhile wants no answer.
  await request.body.pipeTo(new WritableStream()).catch(() => {});
}

function route(storage: StorageContext, request: Request): Promise<Response> {
  const segments = pathSegments(new URL(request.url).pathname.slice(PREFIX.length + 1));
  const [first, ...rest] = segments;
  if (first === "bucket") return bucketRoute(storage, request, rest);
  if (first === "object") return objectRoute(storage, request, rest);
  throw unknownRoute(request);
}

const unknownRoute = (request: Request) => notServed(`${request.method} ${new URL(request.url).pathname}`);

function bucketRoute(storage: StorageContext, request: Request, segments: string[]): Promise<Response> {
  const [id, action, ...more] = segments;
  if (more.length > 0) throw unknownRoute(request);
  switch (`${request.method} ${id ? "/:id" : ""}${action ? `/${action}` : ""}`) {
    case "GET ":
      return listBuckets(storage, request);
    case "POST ":
      return createBucket(storage, request);
    case "GET /:id":
      return getBucket(storage, request, id as string);
    case "PUT /:id":
      return updateBucket(storage, request, id as string);
    case "DELETE /:id":
      return deleteBucket(storage, request, id as string);
    case "POST /:id/empty":
      return emptyBucket(storage, request, id as string);
  }
  throw unknownRoute(request);
}

const isRead = ({ method }: Request) => method === "GET" || method === "HEAD";

/** The fixed words of the API come before a bucket of the same name, as in the hosted one. */
function objectRoute(storage: StorageContext, request: Request, segments: string[]): Promise<Response> {
  const { method } = request;
  const [word, ...rest] = segments;
  const [bucket = "", ...path] = rest;
  const name = path.join("/");
  if (method === "POST" && word === "move" && !bucket) return moveObject(storage, request);
  if (method === "POST" && word === "copy" && !bucket) return copyObject(storage, request);
  if (method === "POST" && word === "list" && bucket && !name) return listObjects(storage, request, bucket);
  if (word === "list-v2") throw unknownRoute(request);
  if (word === "sign" && method === "POST") {
    return name ? signDownload(storage, request, bucket, name) : signDownloads(storage, request, bucket);
  }
  if (word === "sign" && isRead(request)) return readSigned(storage, request, bucket, name);
  if (word === "upload" && bucket === "sign") return signedUploadRoute(storage, request, path);
  if (word === "info" && method === "GET") return infoRoute(storage, request, rest);
  if ((word === "public" || word === "authenticated") && isRead(request)) {
    return readObject(storage, request, word, bucket, name);
  }
  return plainRoute(storage, request, segments);
}

function signedUploadRoute(
  storage: StorageContext,
  request: Request,
  [bucket = "", ...path]: string[],
): Promise<Response> {
  if (request.method === "POST") return signUpload(storage, request, bucket, path.join("/"));
  if (request.method === "PUT") return uploadSigned(storage, request, bucket, path.join("/"));
  throw unknownRoute(request);
}

function infoRoute(storage: StorageContext, request: Request, segments: string[]): Promise<Response> {
  const [word, ...rest] = segments;
  const access = word === "public" || word === "authenticated" ? word : "either";
  const [bucket = "", ...path] = access === "either" ? segments : rest;
  return objectInfo(storage, request, access, bucket, path.join("/"));
}

async function plainRoute(
  storage: StorageContext,
  request: Request,
  [bucketId = "", ...path]: string[],
): Promise<Response> {
  const name = path.join("/");
  if (isRead(request)) return readObject(storage, request, "either", bucketId, name);
  if (request.method === "DELETE") {
    return name ? removeObject(storage, request, bucketId, name) : removeObjects(storage, request, bucketId);
  }
  if (request.method !== "POST" && request.method !== "PUT") throw unknownRoute(request);
  const claims = await requireCaller(storage, request);
  const update = request.method === "PUT";
  const operation = update ? "storage.object.upload_update" : "storage.object.upload";
  const upsert = update || request.headers.get("x-upsert") === "true";
  const target = { claims, operation, bucketId, name, owner: claims.sub, upsert } as const;
  const { id, key } = await uploadObject(storage, target, request);
  return Response.json({ Id: id, Key: key });
}
