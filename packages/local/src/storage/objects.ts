import type postgres from "postgres";
import type { Claims } from "../context.ts";
import { asCaller, type Operation, SERVICE } from "./caller.ts";
import { checkObjectName } from "./names.ts";
import type { StorageContext } from "./storage-context.ts";
import { noSuchBucket } from "./storage-error.ts";

/** `storage.objects.metadata`, with the keys that the hosted API writes. */
export interface FileMetadata {
  eTag: string;
  size: number;
  mimetype: string;
  cacheControl: string;
  lastModified: string;
  contentLength: number;
  httpStatusCode: number;
}

/** A row of `storage.objects`; nullable where SQL, not the API, may have written it. */
export interface StoredObject {
  id: string;
  bucket_id: string;
  name: string;
  owner: string | null;
  owner_id: string | null;
  version: string | null;
  metadata: FileMetadata | null;
  user_metadata: Record<string, unknown> | null;
  created_at: Date;
  updated_at: Date;
  last_accessed_at: Date;
}

/** The columns that the API shows. */
export const objectColumns = (sql: postgres.Sql | postgres.TransactionSql) =>
  sql`id, bucket_id, name, owner, owner_id, version, metadata, user_metadata, created_at, updated_at, last_accessed_at`;

/** The object, if `claims` may see it. Throws StorageError `InvalidKey`. */
export async function findObject(
  storage: StorageContext,
  claims: Claims,
  operation: Operation,
  bucketId: string,
  name: string,
): Promise<StoredObject | undefined> {
  checkObjectName(name);
  return asCaller(storage, claims, operation, async (tx) => {
    const [found] = await tx<StoredObject[]>`
      select ${objectColumns(tx)} from storage.objects where bucket_id = ${bucketId} and name = ${name}`;
    return found;
  });
}

/** What an upload or a reader without credentials needs to know of a bucket. */
export interface BucketRules {
  public: boolean;
  fileSizeLimit: number | null;
  allowedMimeTypes: string[];
}

/** A bucket's rules, whoever asks. Throws StorageError `NoSuchBucket`. */
export async function bucketRules(storage: StorageContext, bucketId: string): Promise<BucketRules> {
  const [bucket] = await asCaller(
    storage,
    SERVICE,
    "storage.bucket.get",
    (tx) => tx<BucketRules[]>`
      select coalesce(public, false) as public, file_size_limit::float8 as "fileSizeLimit",
        coalesce(allowed_mime_types, '{}') as "allowedMimeTypes"
      from storage.buckets where id = ${bucketId}`,
  );
  if (!bucket) throw noSuchBucket();
  return bucket;
}
