import { z } from "zod";
import { asCaller, ownerColumns, requireCaller } from "./caller.ts";
import { readJson } from "./json-body.ts";
import { checkObjectName } from "./names.ts";
import type { StorageContext } from "./storage-context.ts";
import { noSuchKey, notServed } from "./storage-error.ts";

const moveBody = z.object({
  bucketId: z.string(),
  sourceKey: z.string(),
  destinationKey: z.string(),
  destinationBucket: z.string().optional(),
  sourceVersionId: z.string().optional(),
});

/** POST: gives an object another name or bucket. Its file stays where it is; the mover becomes the owner. */
export async function moveObject(storage: StorageContext, request: Request): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const body = await readJson(request, moveBody);
  if (body.sourceVersionId) throw notServed("Moving one version of an object");
  const bucketId = body.destinationBucket || body.bucketId;
  checkObjectName(body.destinationKey);
  const { owner, owner_id } = ownerColumns(claims.sub);
  const [moved] = await asCaller(
    storage,
    claims,
    "storage.object.move",
    (tx) => tx<{ id: string }[]>`
      update storage.objects
      set name = ${body.destinationKey}, bucket_id = ${bucketId},
        owner = coalesce(${owner}::uuid, owner), owner_id = coalesce(${owner_id}, owner_id)
      where bucket_id = ${body.bucketId} and name = ${body.sourceKey}
      returning id`,
  );
  if (!moved) throw noSuchKey();
  return Response.json({ message: "Successfully moved", Id: moved.id, Key: body.destinationKey });
}
