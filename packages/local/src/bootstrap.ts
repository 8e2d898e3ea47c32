import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import type { Postgres } from "./postgres/index.ts";

const FOLDER = new URL("../sql/", import.meta.url);
const MARK = "Podbase platform ";

/** What `bootstrap` found or did. */
export interface Bootstrap {
  /** True when this call made the platform's roles and schemas. */
  fresh: boolean;
  /** True when the cluster was made by another version of the platform's SQL; a new `dataDir` would get this one. */
  outdated: boolean;
}

/**
 * Gives a new cluster what a hosted project has: roles, schemas, extensions, and the services' own tables, from
 * `sql/NN-*.sql` in order. All of it or nothing: one transaction. On a cluster that has it, does nothing.
 */
export async function bootstrap(server: Postgres): Promise<Bootstrap> {
  const files = (await readdir(fileURLToPath(FOLDER))).filter((name) => /^\d\d-.*\.sql$/.test(name)).sort();
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, FOLDER), "utf8")));
  const mark = MARK + createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 16);
  const sql = postgres(server.superuserUrl, { max: 1, onnotice: () => {} });
  try {
    const [found] = await sql<{ mark: string | null }[]>`
      select shobj_description(oid, 'pg_authid') as mark from pg_authid where rolname = 'supabase_admin'`;
    if (found?.mark?.startsWith(MARK)) return { fresh: false, outdated: found.mark !== mark };
    await sql.begin(async (tx) => {
      for (const [index, text] of texts.entries()) {
        await tx.unsafe(text).catch((error: Error) => {
          throw new Error(`${files[index]}: ${error.message}`, { cause: error });
        });
      }
      const logins = await tx<{ rolname: string }[]>`
        select rolname from pg_roles where rolcanlogin and rolname <> 'supabase_admin'`;
      for (const { rolname } of logins) {
        await tx.unsafe(`alter role ${rolname} password '${server.passwords.roles}'`);
      }
      await tx.unsafe(`comment on role supabase_admin is '${mark}'`);
    });
    return { fresh: true, outdated: false };
  } finally {
    await sql.end();
  }
}
