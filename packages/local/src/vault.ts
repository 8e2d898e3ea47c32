import type postgres from "postgres";

/** Puts secrets into Vault by name, in place of what stands there. `sql` as superuser. */
export async function seedVault(sql: postgres.Sql, secrets: Record<string, string>): Promise<void> {
  for (const [name, secret] of Object.entries(secrets)) {
    const [known] = await sql<{ id: string }[]>`select id from vault.secrets where name = ${name}`;
    if (known) await sql`select vault.update_secret(${known.id}, ${secret})`;
    else await sql`select vault.create_secret(${secret}, ${name})`;
  }
}
