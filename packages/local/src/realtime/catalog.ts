import type postgres from "postgres";

/** What rendering and guarding a change needs to know of a table, now. */
export interface Table {
  oid: number;
  /** Row level security is on. */
  rls: boolean;
  columns: Column[];
}

/** A column in the table's order. */
export interface Column {
  name: string;
  /** Qualified and quoted, fit for a cast. */
  type: string;
  /** `pg_type.typname`, as clients are told. */
  typname: string;
  primaryKey: boolean;
  /** Of the roles asked about, those that may select the column. */
  readers: string[];
}

/**
 * Describes tables from the catalog, never from a cache: a `revoke` counts for the very next change. Tables that are
 * gone are left out.
 */
export async function readTables(sql: postgres.Sql, oids: number[], roles: string[]): Promise<Table[]> {
  return sql<Table[]>`
    select c.oid, c.relrowsecurity as rls, (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', a.attname,
        'type', format('%I.%I', tn.nspname, t.typname),
        'typname', t.typname,
        'primaryKey', coalesce(a.attnum = any (pk.conkey), false),
        'readers', (
          select coalesce(jsonb_agg(r.rolname), '[]')
          from pg_roles r
          where r.rolname = any (${roles}::text[])
            and has_schema_privilege(r.oid, c.relnamespace, 'usage')
            and has_column_privilege(r.oid, c.oid, a.attnum, 'select')
        )
      ) order by a.attnum), '[]')
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      join pg_namespace tn on tn.oid = t.typnamespace
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ) as columns
    from pg_class c
    left join pg_constraint pk on pk.conrelid = c.oid and pk.contype = 'p'
    where c.oid = any (${oids}::oid[])`;
}

/** Quotes an identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
