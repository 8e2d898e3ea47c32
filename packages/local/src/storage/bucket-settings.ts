import { z } from "zod";
import type { StorageContext } from "./storage-context.ts";
import { entityTooLarge, notServed, StorageError } from "./storage-error.ts";

/** What may be set on a bucket; what is absent stays as it is. */
export const bucketSettings = z.object({
  public: z.boolean().nullish(),
  file_size_limit: z.union([z.int().min(0), z.string()]).nullish(),
  allowed_mime_types: z.array(z.string()).nullish(),
  type: z.string().optional(),
  versioning_status: z.string().optional(),
});

const MIME_TYPE = /^([a-zA-Z0-9\-+.]+)\/([a-zA-Z0-9\-+.]+)(;\s*charset=[a-zA-Z0-9-]+)?$|\*$/;
const UNIT_BYTES: Record<string, number> = { GB: 1e9, MB: 1e6, KB: 1e3, B: 1 };

/** Columns of `storage.buckets` for the settings that are given. Throws StorageError. */
export function settingColumns(
  storage: StorageContext,
  settings: z.output<typeof bucketSettings>,
): { public?: boolean; file_size_limit?: number | null; allowed_mime_types?: string[] | null } {
  const { file_size_limit: limit, allowed_mime_types: types } = settings;
  if (settings.type && settings.type !== "STANDARD") throw notServed(`A bucket of type ${settings.type}`);
  if (settings.versioning_status === "ENABLED") throw notServed("Versioning of objects");
  return {
    ...(typeof settings.public === "boolean" && { public: settings.public }),
    ...(limit !== undefined && { file_size_limit: limit === null ? null : sizeLimit(storage, limit) }),
    ...(types !== undefined && { allowed_mime_types: types === null ? null : mimeTypes(types) }),
  };
}

/** Bytes of `20MB` and the like, in decimal units. Throws StorageError when over the project's own limit. */
function sizeLimit(storage: StorageContext, limit: number | string): number {
  const bytes = typeof limit === "number" ? limit : parseSize(limit);
  if (bytes > storage.fileSizeLimit) throw entityTooLarge();
  return bytes;
}

function parseSize(text: string): number {
  const [, value, unit] = /^(\d+(?:\.\d+)?)(gb|mb|kb|b)$/i.exec(text) ?? [];
  if (value && unit) return Math.floor(Number(value) * (UNIT_BYTES[unit.toUpperCase()] as number));
  throw new StorageError(
    400,
    "InvalidRequest",
    "Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B",
  );
}

function mimeTypes(types: string[]): string[] {
  const wrong = types.find((type) => type !== "" && !MIME_TYPE.test(type));
  if (wrong === undefined) return types.filter((type) => type !== "");
  throw new StorageError(415, "InvalidMimeType", `mime type ${wrong} is not supported`, {
    error: "invalid_mime_type",
  });
}
