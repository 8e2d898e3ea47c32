import { z } from "zod";
import { asCaller, requireCaller, SERVICE } from "./caller.ts";
import { readJson } from "./json-body.ts";
import { findObject, objectColumns, type StoredObject } from "./objects.ts";
import type { StorageContext } from "./storage-context.ts";
import { accessDenied, invalidRequest, noSuchKey, notServed } from "./storage-error.ts";

const MAX_OBJECTS = 1000;
const removeBody = z.object({ prefixes: z.array(z.unknown()).min(1) });

/** DELETE of several objects by name. Answers with those that were there and that the caller may delete. */
export async function removeObjects(
  storage: StorageContext,
  request: Request,
  bucketId: string,
): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const { prefixes } = await readJson(request, removeBody);
  if (prefixes.length > MAX_OBJECTS) {
    throw invalidRequest(`Bulk object requests are limited to ${MAX_OBJECTS} objects per request.`);
  }
  const names = prefixes.map((name) => {
    if (typeof name === "string") return name;
    throw notServed("Removing one version of an object");
  });
  const removed = await asCaller(
    storage,
    claims,
    "storage.object.delete_many",
    (tx) => tx<StoredObject[]>`
      delete from storage.objects where bucket_id = ${bucketId} and name = any(${names})
      returning ${objectColumns(tx)}`,
  );
  await storage.files.remove(removed.map(({ version }) => version));
  return Response.json([...removed]);
}

/** DELETE of one object. Throws StorageError `NoSuchKey`, or `AccessDenied` when it is not the caller's to delete. */
export async function removeObject(
  storage: StorageContext,
  request: Request,
  bucketId: string,
  name: string,
): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const operation = "storage.object.delete";
  if (!(await findObject(storage, SERVICE, operation, bucketId, name))) throw noSuchKey();
  const removed = await asCaller(
    storage,
    claims,
    operation,
    (tx) => tx<StoredObject[]>`
      delete from storage.objects where bucket_id = ${bucketId} and name = ${name} returning version`,
  );
  if (removed.length === 0) throw accessDenied("Access denied");
  await storage.files.remove(removed.map(({ version }) => version));
  return Response.json({ message: "Successfully deleted" });
}
