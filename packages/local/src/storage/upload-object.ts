import { bucketRules, type FileMetadata } from "./objects.ts";
import { drain, readUpload, type Upload } from "./read-upload.ts";
import type { StorageContext } from "./storage-context.ts";
import { StorageError } from "./storage-error.ts";
import { checkWrite, type ObjectWrite, saveObject } from "./write-object.ts";

/**
 * Stores the file that the request carries: the bytes first, then the row that points at them. Refusals that need no
 * byte (rights, bucket, type, declared size) come before any is stored.
 */
export async function uploadObject(
  storage: StorageContext,
  target: Omit<ObjectWrite, "userMetadata">,
  request: Request,
): Promise<{ id: string; key: string }> {
  const upload = await readUpload(request);
  try {
    return await storeUpload(storage, target, upload);
  } catch (error) {
    await drain(upload);
    throw error;
  }
}

async function storeUpload(
  storage: StorageContext,
  target: Omit<ObjectWrite, "userMetadata">,
  upload: Upload,
): Promise<{ id: string; key: string }> {
  const rules = await bucketRules(storage, target.bucketId);
  const limit = Math.min(rules.fileSizeLimit ?? storage.fileSizeLimit, storage.fileSizeLimit);
  checkMimeType(upload.mimetype, rules.allowedMimeTypes);
  const write: ObjectWrite = { ...target, userMetadata: upload.userMetadata ?? {} };
  const { mimetype, cacheControl, declaredLength } = upload;
  await checkWrite(storage, write, {
    mimetype,
    ...(declaredLength !== undefined && { contentLength: declaredLength }),
  });
  const file = await storage.files.store(upload.body, limit);
  const metadata: FileMetadata = {
    eTag: file.etag,
    size: file.size,
    mimetype,
    cacheControl,
    lastModified: new Date().toISOString(),
    contentLength: file.size,
    httpStatusCode: 200,
  };
  const { id } = await saveObject(storage, write, file.version, metadata);
  return { id, key: `${target.bucketId}/${target.name}` };
}

/** As the hosted API compares, parameters (`; charset=…`) included. */
function checkMimeType(mimetype: string, allowed: string[]): void {
  const family = `${mimetype.split("/")[0]}/*`;
  if (
    allowed.length === 0 ||
    (mimetype.includes("/") && (allowed.includes(mimetype) || allowed.includes(family)))
  ) {
    return;
  }
  throw new StorageError(415, "InvalidMimeType", `mime type ${mimetype} is not supported`, {
    error: "invalid_mime_type",
  });
}
