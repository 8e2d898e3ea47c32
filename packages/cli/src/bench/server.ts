import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrap, migrate, startPostgres } from "@podbase/local";
import postgres, { type Sql } from "postgres";
import { engine, type Features, findFeatures } from "./engine-calls.ts";
import { FLOOR_SQL } from "./floor.ts";
import { USERS } from "./payload.ts";

/** A Postgres of its own for one run of the bench, with a migrated database to copy from. */
export interface BenchServer {
  version: string;
  features: Features;
  /** A copy of `template`; the copy has no sessions yet. `schema` is the migrated database with users and the floor. */
  copy(template: string, name: string): Promise<void>;
  drop(name: string): Promise<void>;
  /** Connections as superuser, each one session of its own. Close them with `closeAll`. */
  connect(database: string, count: number): Sql[];
  /** Ends it and removes its folder. Safe to call twice. */
  stop(): Promise<void>;
}

/** The migrated database with 1,000 users, one open endpoint and the floor's empty table. */
export const SCHEMA = "bench_schema";

/** Starts it in a temporary folder. `migrations` is the folder of the engine to measure. */
export async function startBenchServer(migrations: string): Promise<BenchServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "podbase-bench-"));
  const server = await startPostgres({ dataDir });
  const connect = (database: string, count: number) =>
    Array.from({ length: count }, () =>
      postgres(server.urlOf("supabase_admin", database), {
        max: 1,
        onnotice: () => {},
      }),
    );
  const asAdmin = (work: (sql: Sql) => Promise<unknown>) =>
    using(connect("template1", 1), ([sql]) => work(sql as Sql));
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= server.stop().then(() => rm(dataDir, { recursive: true, force: true }));
    return stopped;
  };
  const copy = async (template: string, name: string) => {
    // Copying files beats copying through the log as soon as a database is bigger than a few megabytes.
    await asAdmin((sql) =>
      sql.unsafe(`create database ${name} template ${template} owner postgres strategy file_copy`),
    );
  };
  try {
    await bootstrap(server);
    await copy("postgres", SCHEMA);
    await migrate(server.urlOf("postgres", SCHEMA), migrations);
    const { version, features } = await using(connect(SCHEMA, 1), async ([first]) => {
      const sql = first as Sql;
      await sql.unsafe(FLOOR_SQL);
      await sql`
        insert into auth.users (id, email)
        select ('00000000-0000-4000-8000-' || lpad(to_hex(g), 12, '0'))::uuid, g || '@example.com'
        from generate_series(0, ${USERS - 1}::int) g`;
      await engine.configure(sql, true);
      const [row] = await sql<{ version: string }[]>`select current_setting('server_version') as version`;
      return { version: row?.version ?? "", features: await findFeatures(sql) };
    });
    return {
      version,
      features,
      copy,
      drop: (name) => asAdmin((sql) => sql.unsafe(`drop database ${name} with (force)`)) as Promise<never>,
      connect,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Does `work` with connections and ends them, whatever happens. */
export async function using<T>(clients: Sql[], work: (clients: Sql[]) => Promise<T>): Promise<T> {
  try {
    return await work(clients);
  } finally {
    await Promise.all(clients.map((sql) => sql.end()));
  }
}
