import { z } from "zod";
import { asCaller, requireCaller } from "./caller.ts";
import { readJson } from "./json-body.ts";
import type { FileMetadata } from "./objects.ts";
import type { StorageContext } from "./storage-context.ts";

const MAX_LIMIT = 1500;

const listBody = z.object({
  prefix: z.string(),
  limit: z.int().min(1).default(100),
  offset: z.int().min(0).default(0),
  search: z.string().default(""),
  sortBy: z
    .object({
      column: z.enum(["name", "updated_at", "created_at", "last_accessed_at"]).default("name"),
      order: z.enum(["asc", "desc"]).default("asc"),
    })
    .default({ column: "name", order: "asc" }),
});

/** A file of a folder, or a folder, of which only the name is known. */
interface Entry {
  name: string;
  id: string | null;
  updated_at: Date | null;
  created_at: Date | null;
  last_accessed_at: Date | null;
  metadata: FileMetadata | null;
}

/**
 * POST: one level of a bucket as folders and files, names relative to `prefix`, those that begin with `search` in
 * any case. By name they are mixed; by any other column folders come first (supabase/storage, `storage.search`).
 */
export async function listObjects(
  storage: StorageContext,
  request: Request,
  bucketId: string,
): Promise<Response> {
  const claims = await requireCaller(storage, request);
  const { prefix, limit, offset, search, sortBy } = await readJson(request, listBody);
  const folder = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  const entries = await asCaller(storage, claims, "storage.object.list", (tx) => {
    const direction = sortBy.order === "asc" ? tx`asc` : tx`desc`;
    const byName = tx`lower(name) collate "C" ${direction}`;
    const order =
      sortBy.column === "name" ? byName : tx`is_file, ${tx(sortBy.column)} ${direction}, ${byName}`;
    return tx<Entry[]>`
      with visible as (
        select *, substr(name, ${folder.length + 1}) as rest
        from storage.objects
        where bucket_id = ${bucketId} and starts_with(lower(name), ${(folder + search).toLowerCase()})
      ), split as (
        select *, strpos(substr(rest, ${search.length + 1}), '/') as slash from visible
      ), entries as (
        select rest as name, id, updated_at, created_at, last_accessed_at, metadata, true as is_file
        from split where slash = 0
        union all
        select distinct left(rest, ${search.length}::int + slash - 1), null::uuid, null::timestamptz,
          null::timestamptz, null::timestamptz, null::jsonb, false
        from split where slash > 0
      )
      select name, id, updated_at, created_at, last_accessed_at, metadata
      from entries order by ${order} limit ${Math.min(limit, MAX_LIMIT)} offset ${offset}`;
  });
  return Response.json([...entries]);
}
