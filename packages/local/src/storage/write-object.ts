import { randomUUID } from "node:crypto";
import type postgres from "postgres";
import type { Claims } from "../context.ts";
import { asCaller, type Operation, ownerColumns, SERVICE } from "./caller.ts";
import { checkObjectName } from "./names.ts";
import type { FileMetadata } from "./objects.ts";
import type { StorageContext } from "./storage-context.ts";
import { asStorageError, duplicate, type StorageError, sqlState } from "./storage-error.ts";

/** An object to be: where, for whom, and as what. */
export interface ObjectWrite {
  claims: Claims;
  operation: Operation;
  bucketId: string;
  name: string;
  /** Subject recorded as the owner; without one an overwritten object keeps the owner it has. */
  owner: string | undefined;
  /** Whether an object of that name may be overwritten. */
  upsert: boolean;
  userMetadata: Record<string, unknown> | null;
}

const ROLLBACK = new Error("rolled back on purpose");

/**
 * Throws StorageError unless `claims` may write the object now; changes nothing. Asked before any byte is read.
 * `metadata` is what policies see, for an upload its declared type and length.
 */
export async function checkWrite(
  storage: StorageContext,
  write: ObjectWrite,
  metadata: Partial<FileMetadata>,
): Promise<void> {
  checkObjectName(write.name);
  try {
    await asCaller(storage, write.claims, write.operation, async (tx) => {
      await insert(tx, write, randomUUID(), "1", metadata);
      throw ROLLBACK;
    });
  } catch (error) {
    if (error !== ROLLBACK) throw keyError(error);
  }
}

/**
 * Points the object at a file that is on disk already, and removes the file it had. The row is written as the caller,
 * whatever `checkWrite` saw before. If Postgres refuses, the new file is removed and StorageError thrown.
 */
export async function saveObject(
  storage: StorageContext,
  write: ObjectWrite,
  version: string,
  metadata: FileMetadata,
): Promise<{ id: string }> {
  const saved = await asCaller(storage, write.claims, write.operation, async (tx) => {
    const key = `${write.bucketId}/${write.name}`;
    // Writers of one name go one after the other, so that each knows whose file it replaces.
    await tx`select pg_advisory_xact_lock(hashtextextended(${key}, 0)), set_config('role', ${SERVICE.role}, true)`;
    const [previous] = await tx<{ id: string; version: string | null }[]>`
      select id, version from storage.objects
      where bucket_id = ${write.bucketId} and name = ${write.name} for update`;
    await tx`select set_config('role', ${write.claims.role}, true)`;
    const id = randomUUID();
    await insert(tx, write, id, version, metadata);
    return { id: previous?.id ?? id, replaced: previous?.version ?? null };
  }).catch(async (error: Error) => {
    // Only a refusal is sure to have rolled back: after a lost connection the row may stand, and needs its file.
    if (sqlState(error)) await storage.files.remove([version]);
    throw keyError(error);
  });
  await storage.files.remove([saved.replaced]);
  return { id: saved.id };
}

/** No `returning`: row level security would ask for the right to select as well. */
async function insert(
  tx: postgres.TransactionSql,
  { bucketId, name, owner, upsert, userMetadata }: ObjectWrite,
  id: string,
  version: string,
  metadata: Partial<FileMetadata>,
): Promise<void> {
  const columns = ownerColumns(owner);
  const overwrite = tx`
    on conflict (bucket_id, name) do update
    set version = excluded.version, metadata = excluded.metadata, user_metadata = excluded.user_metadata,
      owner = coalesce(excluded.owner, storage.objects.owner),
      owner_id = coalesce(excluded.owner_id, storage.objects.owner_id)`;
  await tx`
    insert into storage.objects (id, bucket_id, name, owner, owner_id, version, metadata, user_metadata)
    values (${id}, ${bucketId}, ${name}, ${columns.owner}, ${columns.owner_id}, ${version},
      ${tx.json(metadata as never)}, ${userMetadata && tx.json(userMetadata as never)})
    ${upsert ? overwrite : tx``}`;
}

function keyError(error: unknown): StorageError {
  const known = asStorageError(error);
  return known.code === "ResourceAlreadyExists" ? duplicate("KeyAlreadyExists") : known;
}
