import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";

/** What `migrate` did. Names are file names. */
export interface Migrations {
  applied: string[];
  /** Applied earlier by us and edited since: the database does not have the edit. */
  changed: string[];
}

/** A migration that Postgres refused; nothing of its file is applied. */
export class MigrationError extends Error {
  readonly file: string;

  constructor(file: string, line: number | undefined, cause: Error) {
    super(`${file}${line === undefined ? "" : `:${line}`}: ${cause.message}`, { cause });
    this.name = "MigrationError";
    this.file = file;
  }
}

// The Supabase CLI takes the same files and passes over all others.
const FILE = /^(\d+)_(.*)\.sql$/;

/**
 * Applies what is new in `supabase/migrations` as the non-superuser `postgres`, one file one transaction, and keeps the
 * Supabase CLI's history, so that `supabase db push` and `migration list` find the database up to date.
 * Throws MigrationError.
 */
export async function migrate(ownerUrl: string, folder: string): Promise<Migrations> {
  const files = (await readdir(folder)).filter((name) => FILE.test(name)).sort();
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(`
      create schema if not exists supabase_migrations;
      create table if not exists supabase_migrations.schema_migrations (
        version text primary key, statements text[], name text
      )`);
    const rows = await sql<{ version: string; statements: string[] | null }[]>`
      select version, statements from supabase_migrations.schema_migrations`;
    const history = new Map(rows.map((row) => [row.version, row.statements]));
    const done: Migrations = { applied: [], changed: [] };
    for (const file of files) {
      const [, version = "", name = ""] = FILE.exec(file) ?? [];
      const text = await readFile(join(folder, file), "utf8");
      const before = history.get(version);
      if (before === undefined) {
        await apply(sql, { file, version, name, text });
        done.applied.push(file);
      } else if (before?.length === 1 && before[0] !== text) {
        // The CLI stores statements one by one; only what we stored whole can be compared.
        done.changed.push(file);
      }
    }
    return done;
  } finally {
    await sql.end();
  }
}

interface Migration {
  file: string;
  version: string;
  name: string;
  text: string;
}

async function apply(sql: postgres.Sql, { file, version, name, text }: Migration): Promise<void> {
  await sql.begin(async (tx) => {
    await tx.unsafe(text).catch((error: Error & { position?: string }) => {
      const position = error.position === undefined ? undefined : Number(error.position);
      const line = position === undefined ? undefined : text.slice(0, position).split("\n").length;
      throw new MigrationError(file, line, error);
    });
    await tx`
      insert into supabase_migrations.schema_migrations (version, statements, name)
      values (${version}, ${[text]}, ${name})`;
  });
}
