import type postgres from "postgres";
import { z } from "zod";
import { bucketSettings, settingColumns } from "./bucket-settings.ts";
import { asCaller, ownerColumns, requireCaller, SERVICE } from "./caller.ts";
import { readJson } from "./json-body.ts";
import { checkBucketName } from "./names.ts";
import type { StorageContext } from "./storage-context.ts";
import { asStorageError, duplicate, invalidRequest, noSuchBucket, StorageError } from "./storage-error.ts";

const createBody = bucketSettings.extend({ name: z.string(), id: z.string().optional() });

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).optional(),
  offset: z.coerce.number().int().min(0).default(0),
  sortColumn: z.enum(["id", "name", "created_at", "updated_at"]).default("name"),
  sortOrder: z.enum(["asc", "desc"]).default("asc"),
  search: z.string().default(""),
});

const columns = (tx: postgres.TransactionSql) => tx`
  id, name, owner, owner_id, public, type, file_size_limit::float8, allowed_mime_types, created_at, updated_at`;

/** GET: the buckets that the caller may see. */
export async function listBuckets(storage: StorageContext, request: Request): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const parsed = listQuery.safeParse(Object.fromEntries(new URL(request.url).searchParams));
  if (!parsed.success) throw invalidRequest(z.prettifyError(parsed.error));
  const { limit, offset, sortColumn, sortOrder, search } = parsed.data;
  const buckets = await asCaller(
    storage,
    claims,
    "storage.bucket.list",
    (tx) => tx`
      select ${columns(tx)} from storage.buckets
      where strpos(lower(name), ${search.toLowerCase()}) > 0 or ${search} = ''
      order by ${tx(sortColumn)} ${sortOrder === "asc" ? tx`asc` : tx`desc`}
      limit ${limit ?? null} offset ${offset}`,
  );
  return Response.json([...buckets]);
}

/** GET of one bucket. */
export async function getBucket(storage: StorageContext, request: Request, id: string): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const [bucket] = await asCaller(
    storage,
    claims,
    "storage.bucket.get",
    (tx) => tx`select ${columns(tx)} from storage.buckets where id = ${id}`,
  );
  if (!bucket) throw noSuchBucket();
  return Response.json(bucket);
}

/** POST: a new bucket, private unless it says otherwise. */
export async function createBucket(storage: StorageContext, request: Request): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const body = await readJson(request, createBody);
  const id = body.id || body.name;
  checkBucketName(id);
  checkBucketName(body.name);
  const bucket = { id, name: body.name, ...ownerColumns(claims.sub), ...settingColumns(storage, body) };
  try {
    await asCaller(
      storage,
      claims,
      "storage.bucket.create",
      (tx) => tx`insert into storage.buckets ${tx(bucket)}`,
    );
  } catch (error) {
    const known = asStorageError(error);
    throw known.code === "ResourceAlreadyExists" ? duplicate("BucketAlreadyExists") : known;
  }
  return Response.json({ name: body.name });
}

/** PUT: new settings for a bucket. Objects that are in it already stay. */
export async function updateBucket(storage: StorageContext, request: Request, id: string): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const settings = settingColumns(storage, await readJson(request, bucketSettings));
  if (Object.keys(settings).length === 0) throw invalidRequest("No content provided");
  const updated = await asCaller(
    storage,
    claims,
    "storage.bucket.update",
    (tx) => tx`update storage.buckets set ${tx(settings)} where id = ${id} returning id`,
  );
  if (updated.length === 0) throw noSuchBucket();
  return Response.json({ message: "Successfully updated" });
}

/** POST: removes the objects that the caller may delete, at once. */
export async function emptyBucket(storage: StorageContext, request: Request, id: string): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const removed = await asCaller(storage, claims, "storage.bucket.empty", async (tx) => {
    const [bucket] = await tx`select 1 from storage.buckets where id = ${id}`;
    if (!bucket) throw noSuchBucket();
    return tx<{ version: string | null }[]>`
      delete from storage.objects where bucket_id = ${id} returning version`;
  });
  await storage.files.remove(removed.map(({ version }) => version));
  return Response.json({ message: "Successfully emptied" });
}

/** DELETE of an empty bucket. */
export async function deleteBucket(storage: StorageContext, request: Request, id: string): Promise<Response> {
  const claims = await requireCaller(storage, request);
  await asCaller(storage, claims, "storage.bucket.delete", async (tx) => {
    // Objects count even if the caller can't see them.
    await tx`select set_config('role', ${SERVICE.role}, true)`;
    const [bucket] = await tx<{ used: boolean }[]>`
      select exists (select 1 from storage.objects where bucket_id = ${id}) as used
      from storage.buckets where id = ${id} for update`;
    if (!bucket) throw noSuchBucket();
    if (bucket.used) {
      throw new StorageError(409, "ResourceNotEmpty", "The bucket you tried to delete is not empty");
    }
    await tx`select set_config('role', ${claims.role}, true)`;
    const deleted = await tx`delete from storage.buckets where id = ${id} returning id`;
    if (deleted.length === 0) throw noSuchBucket();
  });
  return Response.json({ message: "Successfully deleted" });
}
