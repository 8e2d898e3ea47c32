import type postgres from "postgres";

/**
 * A refusal as Supabase Storage words it. `statusCode` stands in the body; the HTTP status of the response is 400 for
 * everything the caller can help, as the hosted API has it (supabase/storage, src/internal/errors).
 */
export class StorageError extends Error {
  readonly statusCode: number;
  readonly code: string;
  readonly error: string;
  readonly httpStatus: number;

  constructor(
    statusCode: number,
    code: string,
    message: string,
    more: { error?: string; httpStatus?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = "StorageError";
    this.statusCode = statusCode;
    this.code = code;
    this.error = more.error ?? code;
    this.httpStatus = more.httpStatus ?? (statusCode === 500 ? 500 : 400);
  }

  /** The error as the response's body. */
  toJSON() {
    return {
      statusCode: String(this.statusCode),
      error: this.error,
      message: this.message,
      code: this.code,
    };
  }
}

/** There is no such bucket, or it is not the caller's to see. */
export const noSuchBucket = () =>
  new StorageError(404, "NoSuchBucket", "Bucket not found", { error: "Bucket not found" });

/** There is no such object, or it is not the caller's to see. */
export const noSuchKey = () => new StorageError(404, "NoSuchKey", "Object not found", { error: "not_found" });

/** What was to be made is there already. */
export const duplicate = (code: "KeyAlreadyExists" | "BucketAlreadyExists" | "ResourceAlreadyExists") =>
  new StorageError(409, code, "The resource already exists", { error: "Duplicate" });

/** Row level security refused. */
export const accessDenied = (message: string) =>
  new StorageError(403, "AccessDenied", message, { error: "Unauthorized" });

/** More bytes than the bucket or the service takes. */
export const entityTooLarge = () =>
  new StorageError(413, "EntityTooLarge", "The object exceeded the maximum allowed size", {
    error: "Payload too large",
  });

/** The request makes no sense. */
export const invalidRequest = (message: string) => new StorageError(400, "InvalidRequest", message);

/** The answer to what a hosted project does and the local stack does not. */
export const notServed = (what: string) =>
  new StorageError(501, "not_implemented", `${what} is not served by the local stack`, { httpStatus: 501 });

/** SQLSTATE of an error that Postgres raised, or undefined for any other. */
export const sqlState = (error: unknown): string | undefined =>
  (error as Error).name === "PostgresError" ? (error as postgres.PostgresError).code : undefined;

/** Any error as the one to answer with; Postgres' by SQLSTATE as supabase/storage, src/storage/database/errors.ts. */
export function asStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (sqlState(error) === undefined) {
    return new StorageError(500, "InternalError", "Internal server error", { cause: error });
  }
  const { code, message, detail } = error as postgres.PostgresError;
  switch (code) {
    case "42501":
      return accessDenied(
        message.includes("row-level security") ? "new row violates row-level security policy" : message,
      );
    case "23505":
      return duplicate("ResourceAlreadyExists");
    case "23503":
      return detail?.includes("is still referenced")
        ? new StorageError(409, "ResourceReferenced", "The resource is still referenced by another one")
        : new StorageError(404, "InvalidRequest", "The related resource does not exist");
    case "22P02":
      return new StorageError(400, "InvalidParameter", message);
    default:
      return new StorageError(500, "DatabaseError", `database error, code: ${code}`, { cause: error });
  }
}
