import { StorageError } from "./storage-error.ts";

// The characters that the hosted API takes (supabase/storage, src/storage/limits.ts).
const OBJECT_NAME = /^[A-Za-z0-9_/!.*'() &$=@;:+,?-]+$/;
const BUCKET_NAME = /^[A-Za-z0-9_!.*'() &$=@;:+,?-]{1,100}$/;

const invalidKey = (name: string) => new StorageError(400, "InvalidKey", `Invalid key: ${name}`);

/**
 * Throws StorageError `InvalidKey` for a name that no object may have. Dot segments are refused too: the hosted API
 * takes them, but no client can name such an object in a URL.
 */
export function checkObjectName(name: string): void {
  const dotted = name.split("/").some((part) => part === "." || part === "..");
  if (dotted || !OBJECT_NAME.test(name)) throw invalidKey(name);
}

/** Throws StorageError `InvalidBucketName` for a name that no bucket may have. */
export function checkBucketName(name: string): void {
  if (BUCKET_NAME.test(name) && name.trim() === name) return;
  throw new StorageError(400, "InvalidBucketName", "Bucket name invalid", { error: "Invalid Input" });
}

/** Segments of a URL's path, decoded. Throws StorageError `InvalidKey` when one can't be. */
export function pathSegments(path: string): string[] {
  try {
    return path.split("/").map(decodeURIComponent);
  } catch {
    throw invalidKey(path);
  }
}
