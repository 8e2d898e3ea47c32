import { z } from "zod";
import { requireCaller } from "./caller.ts";
import { readJson } from "./json-body.ts";
import { findObject } from "./objects.ts";
import type { StorageContext } from "./storage-context.ts";
import { noSuchKey, notServed } from "./storage-error.ts";
import { checkWrite, type ObjectWrite, saveObject } from "./write-object.ts";

const copyBody = z.object({
  bucketId: z.string(),
  sourceKey: z.string(),
  destinationKey: z.string(),
  destinationBucket: z.string().optional(),
  sourceVersionId: z.string().optional(),
  copyMetadata: z.boolean().default(true),
  metadata: z.object({ cacheControl: z.string().optional(), mimetype: z.string().optional() }).optional(),
});

/** POST: a second object with the same bytes; `x-upsert` allows it to replace one. */
export async function copyObject(storage: StorageContext, request: Request): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const body = await readJson(request, copyBody);
  if (body.sourceVersionId) throw notServed("Copying one version of an object");
  const operation = "storage.object.copy";
  const source = await findObject(storage, claims, operation, body.bucketId, body.sourceKey);
  if (!source?.metadata || !source.version) throw noSuchKey();
  const bucketId = body.destinationBucket || body.bucketId;
  const write: ObjectWrite = {
    claims,
    operation,
    bucketId,
    name: body.destinationKey,
    owner: claims.sub,
    upsert: request.headers.get("x-upsert") === "true",
    userMetadata: body.copyMetadata ? source.user_metadata : null,
  };
  const changes = body.copyMetadata ? {} : definedOnly(body.metadata ?? {});
  const metadata = { ...source.metadata, ...changes, lastModified: new Date().toISOString() };
  await checkWrite(storage, write, metadata);
  const version = await storage.files.copy(source.version);
  if (!version) throw noSuchKey();
  const { id } = await saveObject(storage, write, version, metadata);
  return Response.json({
    Id: id,
    Key: `${bucketId}/${write.name}`,
    id,
    bucket_id: bucketId,
    name: write.name,
    metadata,
  });
}

const definedOnly = (values: { cacheControl?: string | undefined; mimetype?: string | undefined }) =>
  ({
    ...(values.cacheControl !== undefined && { cacheControl: values.cacheControl }),
    ...(values.mimetype !== undefined && { mimetype: values.mimetype }),
  }) as { cacheControl?: string; mimetype?: string };
