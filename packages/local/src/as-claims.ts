import type postgres from "postgres";
import type { Claims } from "./context.ts";

/**
 * Runs `work` in one transaction as the caller: role, `request.jwt.claims` and further settings as PostgREST,
 * Storage and Realtime set them, so that RLS sees what it sees on a hosted project.
 */
export function asClaims<T>(
  sql: postgres.Sql,
  claims: Claims,
  work: (tx: postgres.TransactionSql) => Promise<T>,
  settings: Record<string, string> = {},
): Promise<T> {
  return sql.begin(async (tx) => {
    const all = { ...settings, "request.jwt.claims": JSON.stringify(claims), role: claims.role };
    const names = Object.keys(all);
    const values = Object.values(all);
    await tx`select set_config(name, value, true) from unnest(${names}::text[], ${values}::text[]) as s(name, value)`;
    return work(tx);
  }) as Promise<T>;
}
