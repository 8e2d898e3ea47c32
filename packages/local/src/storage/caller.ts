import type postgres from "postgres";
import { asClaims } from "../as-claims.ts";
import type { Claims } from "../context.ts";
import type { StorageContext } from "./storage-context.ts";
import { accessDenied, StorageError } from "./storage-error.ts";

/** The service itself: sees every row. Used for what a policy must not decide, such as a bucket's limits. */
export const SERVICE: Claims = { role: "service_role" };

/**
 * Who is calling. Throws StorageError: HTTP 401 without a valid API key, as the hosted gateway; `AccessDenied` for a
 * bad user token, which a token out of a signed URL is as well.
 */
export async function requireCaller(storage: StorageContext, request: Request): Promise<Claims> {
  const { headers } = request;
  const bearer = headers.get("authorization")?.replace(/^Bearer\s+/i, "");
  const apiKey = headers.get("apikey") ?? bearer;
  if (!storage.keys.roleOf(apiKey)) {
    const message = apiKey ? "Invalid API key" : "No API key found in request";
    throw new StorageError(401, "Unauthorized", message, { httpStatus: 401 });
  }
  let claims: Claims;
  try {
    claims = await storage.keys.resolve(headers);
  } catch (error) {
    throw accessDenied((error as Error).message);
  }
  if (claims.use !== undefined) throw accessDenied("A token for a URL is no user token");
  return claims;
}

/** Who is calling, or undefined when the credentials are missing or bad: then public buckets only. */
export async function callerIfAny(storage: StorageContext, request: Request): Promise<Claims | undefined> {
  try {
    return await requireCaller(storage, request);
  } catch (error) {
    if (error instanceof StorageError) return undefined;
    throw error;
  }
}

/** Columns that record the owner: the caller's subject, as text and, when it is one, as UUID. */
export function ownerColumns(subject: string | undefined): { owner: string | null; owner_id: string | null } {
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(subject ?? "");
  return { owner: isUuid ? (subject as string) : null, owner_id: subject ?? null };
}

/** What the API is doing, for policies that call `storage.operation()`; names as supabase/storage has them. */
export type Operation = `storage.${"bucket" | "object"}.${string}`;

/** Runs `work` in a transaction as `claims`, with the settings that the hosted API makes. */
export const asCaller = <T>(
  storage: StorageContext,
  claims: Claims,
  operation: Operation,
  work: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> =>
  asClaims(storage.sql, claims, work, {
    "storage.operation": operation,
    "storage.allow_delete_query": "true",
  });
