import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { bootstrap } from "./bootstrap.ts";
import { migrate } from "./migrations.ts";
import { startPostgres } from "./postgres/index.ts";

/** How to reach a cluster with templates. Plain data, so that it can be handed to other processes. */
export interface TestCluster {
  /** `postgres://supabase_admin:…@127.0.0.1:…`, without a database. */
  superuser: string;
  /** The same as role `postgres`. */
  owner: string;
}

/** Which database is cloned: the bare platform, or the platform with the project's migrations. */
export type Template = "platform" | "project";

/** A cluster of this process. */
export interface RunningTestCluster extends TestCluster {
  stop(): Promise<void>;
}

/** A database of its own for one test file. */
export interface TestDatabase {
  name: string;
  superuserUrl: string;
  /** As role `postgres`, which migrations ran as. */
  ownerUrl: string;
  /** Ends its sessions and removes it. */
  drop(): Promise<void>;
}

// Cloning needs a template without sessions, so nobody connects to these by hand.
const DATABASES: Record<Template, string> = { platform: "postgres", project: "podbase_project" };
const ADMIN = "template1";

/**
 * Starts a Postgres in a temporary folder with the platform's SQL and, when given, the migrations of
 * `supabase/migrations`. About a second. Stop it yourself.
 */
export async function startTestCluster(options: { migrations?: string } = {}): Promise<RunningTestCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), "podbase-test-"));
  const server = await startPostgres({ dataDir });
  const stop = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  const withoutDatabase = (url: string) => url.slice(0, url.lastIndexOf("/"));
  const cluster = {
    superuser: withoutDatabase(server.superuserUrl),
    owner: withoutDatabase(server.ownerUrl),
  };
  try {
    await bootstrap(server);
    if (options.migrations) await addProjectTemplate(cluster, options.migrations);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...cluster, stop };
}

/** Makes the template `project` from the platform and the migrations of `folder`. Once a cluster. */
export async function addProjectTemplate(cluster: TestCluster, folder: string): Promise<void> {
  await clone(cluster, "platform", DATABASES.project);
  await migrate(`${cluster.owner}/${DATABASES.project}`, folder);
}

/**
 * Clones a template in some 30 ms: roles are shared by all clones, everything else is the clone's own.
 * `project` needs `addProjectTemplate`.
 */
export async function cloneDatabase(cluster: TestCluster, template: Template): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await clone(cluster, template, name);
  const database: TestDatabase = {
    name,
    superuserUrl: `${cluster.superuser}/${name}`,
    ownerUrl: `${cluster.owner}/${name}`,
    drop: () => asAdmin(cluster, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`)),
  };
  if (template === "project") await adoptJobs(database);
  return database;
}

const clone = (cluster: TestCluster, template: Template, name: string): Promise<void> =>
  asAdmin(cluster, (sql) =>
    sql.unsafe(`create database ${name} template ${DATABASES[template]} owner postgres`),
  );

/** pg_cron's rows name their database; in a clone they still name the template. */
async function adoptJobs({ superuserUrl }: TestDatabase): Promise<void> {
  const sql = postgres(superuserUrl, { max: 1 });
  try {
    const [found] = await sql`select to_regclass('cron.job') is not null as has_jobs`;
    if (found?.has_jobs) await sql`update cron.job set database = current_database()`;
  } finally {
    await sql.end();
  }
}

async function asAdmin(
  cluster: TestCluster,
  work: (sql: postgres.Sql) => PromiseLike<unknown>,
): Promise<void> {
  const sql = postgres(`${cluster.superuser}/${ADMIN}`, { max: 1, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}
