import type postgres from "postgres";

/** A transaction as `supabase_auth_admin`. */
export type AuthTransaction = postgres.TransactionSql;

/**
 * Runs `work` in one transaction with the role and search path that Supabase Auth has, so that a trigger on
 * `auth.users` that lacks `security definer` or qualified names fails here as it does on a hosted project.
 */
export function asAuthAdmin<T>(sql: postgres.Sql, work: (tx: AuthTransaction) => Promise<T>): Promise<T> {
  return sql.begin(async (tx) => {
    await tx`select set_config('search_path', 'auth', true), set_config('role', 'supabase_auth_admin', true)`;
    return work(tx);
  }) as Promise<T>;
}
