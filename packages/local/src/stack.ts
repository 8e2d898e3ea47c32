import { join, resolve } from "node:path";
import postgres from "postgres";
import { createAuth } from "./auth/create-auth.ts";
import { bootstrap } from "./bootstrap.ts";
import type { StackContext } from "./context.ts";
import { startCron, startNet } from "./database-workers/index.ts";
import { createFunctions, type FunctionChange, type Functions } from "./functions/index.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { type Keys, loadKeys } from "./keys.ts";
import { migrate } from "./migrations.ts";
import { patientSocket } from "./patient-socket.ts";
import { type Postgres, startPostgres } from "./postgres/index.ts";
import { FolderInUseError, lockFolder } from "./processes/folder-lock.ts";
import { type ProjectConfig, readProjectConfig } from "./project-config.ts";
import { createRealtime, type Realtime } from "./realtime/index.ts";
import { rememberedPort, rememberPort } from "./remembered-port.ts";
import { createRest } from "./rest/create-rest.ts";
import { createStorage } from "./storage/create-storage.ts";
import { Undo } from "./undo.ts";
import { seedVault } from "./vault.ts";

/** Options of `startStack`. */
export interface StackOptions {
  /** Folder that holds `supabase/` (config.toml, migrations, functions). */
  projectDir: string;
  /** Folder for all that the stack keeps: database, objects, keys. One stack at a time. */
  dataDir: string;
  /** Port of the gateway; by default that of the last start, or 54321. Another one is taken when it is busy. */
  port?: number;
  /** Secrets for Edge Functions; they win over `supabase/functions/.env`. */
  functionsEnv?: Record<string, string>;
  /** Answers what is not Supabase's: the app's page. */
  site?: (request: Request) => Promise<Response>;
  /** People's output. Nothing by default. */
  log?: (message: string) => void;
  /** More secrets for Vault, by name. */
  vaultSecrets?: Record<string, string>;
  /** Whether an edit of the sources restarts functions; on by default. */
  watch?: boolean;
  /** Told of such an edit, once the processes concerned are retired. */
  onFunctionsChange?: (change: FunctionChange) => void;
  /** Runs once `dataDir` is this stack's alone, before anything in it is read. */
  prepare?: () => Promise<void>;
}

/** A running Supabase-compatible stack. */
export interface Stack {
  /** Base URL, as `SUPABASE_URL`. */
  url: string;
  publishableKey: string;
  /** Secret keys by name: `default` and `podbase`. */
  secretKeys: Record<string, string>;
  /** As role `postgres`, like a hosted project's connection string. */
  databaseUrl: string;
  /** Pool as the superuser `supabase_admin`: for set-up and tests, RLS does not hold it. */
  sql: postgres.Sql;
  functions: Functions;
  realtime: Realtime;
  postgres: Postgres;
  /** Resets all connections to `url`, and new ones until the returned function is called. For tests of recovery. */
  cutGateway(): () => void;
  /** Ends everything in order and waits for it. Safe to call twice. */
  stop(): Promise<void>;
}

/** Another live process runs a stack on the same `dataDir`. */
export class StackInUseError extends Error {
  readonly dataDir: string;
  /** Process id of the other. */
  readonly pid: number;

  constructor({ folder, pid }: FolderInUseError) {
    super(`another stack is running on ${folder} (process ${pid}); stop it or give another data folder`);
    this.name = "StackInUseError";
    this.dataDir = folder;
    this.pid = pid;
  }
}

const POOL_SIZE = 20;
const CLOSE_GRACE_MS = 1000;
/** No transaction of a service pauses for longer between two statements. */
const LOST_CONNECTION_GRACE_MS = 500;

/**
 * Starts Postgres, applies the platform's SQL and the project's migrations, and serves REST, Auth, Storage, Realtime and
 * Edge Functions behind one URL on 127.0.0.1, with workers for pg_cron and pg_net. A later start on the same `dataDir`
 * goes on where the last ended, however it ended. Throws StackInUseError, MigrationError.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const log = options.log ?? (() => {});
  const projectDir = resolve(options.projectDir);
  const dataDir = resolve(options.dataDir);
  const undo = new Undo(log);
  try {
    undo.add(await lockData(dataDir));
    await options.prepare?.();
    const config = await readProjectConfig(projectDir);
    const keys = await loadKeys(dataDir);
    const gateway = await startGateway(options.port ?? (await rememberedPort(dataDir)), log);
    undo.add(() => gateway.close(CLOSE_GRACE_MS));
    await rememberPort(dataDir, gateway.port);
    const server = await startDatabase(projectDir, dataDir, undo, log);
    const sql = postgres(server.superuserUrl, {
      max: POOL_SIZE,
      onnotice: () => {},
      socket: patientSocket(LOST_CONNECTION_GRACE_MS),
    } as postgres.Options<Record<string, never>>);
    undo.add(() => sql.end({ timeout: 1 }));
    await seedVault(sql, {
      ...options.vaultSecrets,
      podbase_project_url: gateway.url,
      podbase_secret_key: keys.secrets.podbase as string,
    });
    const ctx: StackContext = { sql, keys, url: gateway.url, dataDir, log };
    const parts = { ctx, config, gateway, server, projectDir, options };
    const { functions, realtime } = await startServices(parts, undo);
    return {
      url: gateway.url,
      publishableKey: keys.publishable,
      secretKeys: keys.secrets,
      databaseUrl: server.ownerUrl,
      sql,
      functions,
      realtime,
      postgres: server,
      cutGateway: gateway.cut,
      stop: () => undo.run(),
    };
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function lockData(dataDir: string): Promise<() => Promise<void>> {
  return lockFolder(dataDir).catch((error) => {
    throw error instanceof FolderInUseError ? new StackInUseError(error) : error;
  });
}

async function startDatabase(
  projectDir: string,
  dataDir: string,
  undo: Undo,
  log: (message: string) => void,
): Promise<Postgres> {
  const server = await startPostgres({ dataDir: join(dataDir, "postgres"), onCrash: log });
  undo.add(() => server.stop());
  if ((await bootstrap(server)).outdated) {
    log(`${dataDir} was made by another version of Podbase; remove it to get this one's platform SQL`);
  }
  const { changed } = await migrate(server.ownerUrl, join(projectDir, "supabase", "migrations"));
  for (const file of changed)
    log(`${file} was edited after it was applied; ${dataDir} does not have the edit`);
  return server;
}

interface Parts {
  ctx: StackContext & { keys: Keys };
  config: ProjectConfig;
  gateway: Gateway;
  server: Postgres;
  projectDir: string;
  options: StackOptions;
}

async function startServices(
  parts: Parts,
  undo: Undo,
): Promise<{ functions: Functions; realtime: Realtime }> {
  const { ctx, config, gateway, server, projectDir, options } = parts;
  const { schemas, max_rows: maxRows } = config.api;
  const auth = createAuth(ctx, { accessTokenLifetimeS: config.auth.jwt_expiry });
  const rest = await createRest(ctx, {
    schemas: schemas.filter((name) => name !== "graphql_public"),
    maxRows,
  });
  undo.add(() => rest.close?.());
  const storage = await createStorage(ctx);
  undo.add(() => storage.close?.());
  const functions = await createFunctions(ctx, {
    projectDir,
    databaseUrl: server.ownerUrl,
    ...(options.functionsEnv === undefined ? {} : { extraEnv: options.functionsEnv }),
    ...(options.watch === undefined ? {} : { watch: options.watch }),
    ...(options.onFunctionsChange === undefined ? {} : { onChange: options.onFunctionsChange }),
  });
  undo.add(() => functions.close());
  // Requests under way finish before what serves them goes, but open sockets would hold the server, so they go first.
  undo.add(() => gateway.close(CLOSE_GRACE_MS));
  const realtime = await createRealtime(ctx);
  undo.add(() => realtime.close());
  gateway.open({
    rest: rest.fetch,
    auth: auth.fetch,
    storage: storage.fetch,
    realtime: realtime.fetch,
    functions: functions.fetch,
    upgrade: realtime.upgrade,
    ...(options.site === undefined ? {} : { site: options.site }),
  });
  // Last, because their first acts may be calls through the gateway.
  const net = await startNet({ superuserUrl: server.superuserUrl, log: ctx.log });
  undo.add(() => net.stop());
  const cron = await startCron({ superuserUrl: server.superuserUrl, log: ctx.log });
  undo.add(() => cron.stop());
  return { functions, realtime };
}
