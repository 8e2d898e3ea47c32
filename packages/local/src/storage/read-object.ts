import { callerIfAny, type Operation, requireCaller, SERVICE } from "./caller.ts";
import { bucketRules, findObject, type StoredObject } from "./objects.ts";
import { serveObject } from "./serve-object.ts";
import type { StorageContext } from "./storage-context.ts";
import { noSuchBucket, noSuchKey } from "./storage-error.ts";

/** Who may read along which route: everyone from public buckets, callers with credentials, or either. */
export type Access = "public" | "authenticated" | "either";

/** GET or HEAD of an object's bytes. */
export async function readObject(
  storage: StorageContext,
  request: Request,
  access: Access,
  bucketId: string,
  name: string,
): Promise<Response> {
  const operation = access === "public" ? "storage.object.get_public" : "storage.object.get_authenticated";
  const find = await finder(storage, request, access, operation, bucketId, name);
  return serveObject(storage, request, find);
}

/** GET of what is known about an object, without its bytes. */
export async function objectInfo(
  storage: StorageContext,
  request: Request,
  access: Access,
  bucketId: string,
  name: string,
): Promise<Response> {
  const operation = access === "public" ? "storage.object.info_public" : "storage.object.info_authenticated";
  const object = await (await finder(storage, request, access, operation, bucketId, name))();
  if (!object) throw noSuchKey();
  const { metadata } = object;
  return Response.json({
    id: object.id,
    name: object.name,
    version: object.version,
    bucket_id: object.bucket_id,
    size: metadata?.size ?? null,
    content_type: metadata?.mimetype ?? null,
    cache_control: metadata?.cacheControl ?? null,
    etag: metadata?.eTag ?? null,
    metadata: object.user_metadata,
    last_modified: object.updated_at,
    created_at: object.created_at,
  });
}

/** How the object is looked up for this request. Policies decide, except in public buckets. */
async function finder(
  storage: StorageContext,
  request: Request,
  access: Access,
  operation: Operation,
  bucketId: string,
  name: string,
): Promise<() => Promise<StoredObject | undefined>> {
  const caller =
    access === "public"
      ? undefined
      : access === "authenticated"
        ? await requireCaller(storage, request)
        : await callerIfAny(storage, request);
  const bucket = await bucketRules(storage, bucketId);
  if (!bucket.public && !caller) throw noSuchBucket();
  const claims = bucket.public || !caller ? SERVICE : caller;
  return () => findObject(storage, claims, operation, bucketId, name);
}
