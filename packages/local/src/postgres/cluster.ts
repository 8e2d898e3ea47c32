import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { lockFolder } from "../processes/folder-lock.ts";
import { freePort } from "../processes/free-port.ts";
import { startTiedChild, type TiedChild } from "../processes/tied-child.ts";
import { preparePostgres } from "./installation.ts";
import { endOrphan } from "./orphan.ts";
import { loadPasswords, type Passwords } from "./passwords.ts";
import { placeFor } from "./place.ts";
import { asUser, chooseRunAs, handOver, type RunAs } from "./run-as.ts";

/** Options of `startPostgres`. */
export interface PostgresOptions {
  /** Folder for the cluster, its passwords and its log; made if need be. One server at a time. */
  dataDir: string;
  /** TCP port on 127.0.0.1; without it a free one. */
  port?: number;
  /** Which user the server runs as; found out by default. */
  runAs?: RunAs;
}

/** A running Postgres 17. Only 127.0.0.1, only with a password. */
export interface Postgres {
  port: number;
  pid: number;
  /** True when this start made the cluster. */
  fresh: boolean;
  /** `postgres://supabase_admin:…@127.0.0.1:…/postgres`. */
  superuserUrl: string;
  /** The same as role `postgres`, which is no superuser and exists after `bootstrap`. */
  ownerUrl: string;
  passwords: Passwords;
  /** URL of any login role and database. */
  urlOf(role: string, database?: string): string;
  /** Resolves when the server ends, asked for or not. */
  exited: Promise<number | NodeJS.Signals>;
  /** SIGKILL, as the kernel out of memory would send. For tests of recovery. */
  kill(): void;
  /** Fast shutdown: open sessions are ended, data is kept. */
  stop(): Promise<void>;
}

/** What a server on its own machine with throw-away durability needs; the rest is Postgres's default. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  wal_level: "logical",
  max_connections: "100",
  max_wal_senders: "20",
  max_replication_slots: "20",
  shared_preload_libraries: "pg_stat_statements",
  // A crash of Postgres loses nothing without fsync, only a crash of the machine does.
  fsync: "off",
  full_page_writes: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "warning",
  // As a setting of the server, not of one database: clones of a template don't inherit the latter.
  search_path: '"$user", public, extensions',
};
const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 10_000;

/** Starts the embedded Postgres on `dataDir`, making the cluster on the first start. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const release = await lockFolder(options.dataDir);
  try {
    const runAs = options.runAs ?? (await chooseRunAs());
    const { folder } = await preparePostgres(runAs);
    const home = await placeFor(runAs, options.dataDir);
    const passwords = await loadPasswords(options.dataDir);
    const cluster = join(home, "cluster");
    const fresh = await makeCluster({ folder, home, cluster, runAs, password: passwords.superuser });
    await endOrphan(cluster);
    const { child, port } = await startServer({ ...options, folder, cluster, runAs });
    const urlOf = (role: string, database = "postgres") => {
      const password = role === "supabase_admin" ? passwords.superuser : passwords.roles;
      return `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
    };
    return {
      port,
      pid: child.pid,
      fresh,
      passwords,
      superuserUrl: urlOf("supabase_admin"),
      ownerUrl: urlOf("postgres"),
      urlOf,
      exited: child.exited,
      kill: () => child.kill("SIGKILL"),
      async stop() {
        await child.stop("SIGINT", STOP_GRACE_MS);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

interface Place {
  folder: string;
  cluster: string;
  runAs: RunAs;
}

const environment = { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C" };

async function makeCluster(place: Place & { home: string; password: string }): Promise<boolean> {
  const { cluster, runAs } = place;
  const made = await readFile(join(cluster, "PG_VERSION")).then(
    () => true,
    () => false,
  );
  if (made) return false;
  const draft = `${cluster}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await handOver(runAs, draft);
  const passwordFile = join(place.home, "initial-password");
  await writeFile(passwordFile, place.password, { mode: 0o600 });
  await handOver(runAs, passwordFile);
  const flags = [
    ["-D", draft, "-U", "supabase_admin", "-A", "scram-sha-256", "--pwfile", passwordFile],
    ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync"],
  ].flat();
  const child = await startTiedChild({
    ...asUser(runAs, join(place.folder, "bin", "initdb"), flags),
    env: environment,
    orphanSignal: "KILL",
  });
  const output: Buffer[] = [];
  child.process.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  child.process.stderr?.on("data", (chunk: Buffer) => output.push(chunk));
  const code = await child.exited;
  await rm(passwordFile);
  if (code !== 0) throw new Error(`initdb ended with ${code}:\n${Buffer.concat(output).toString().trim()}`);
  await rename(draft, cluster);
  return true;
}

async function startServer(place: Place & PostgresOptions): Promise<{ child: TiedChild; port: number }> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const port = place.port ?? (await freePort());
    const logFile = join(place.dataDir, "postgres.log");
    const log = await open(logFile, "a", 0o600);
    const { size } = await log.stat();
    const settings = Object.entries({ ...SETTINGS, port: String(port) });
    const args = ["-D", place.cluster, ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    const child = await startTiedChild({
      ...asUser(place.runAs, join(place.folder, "bin", "postgres"), args),
      env: environment,
      orphanSignal: "INT",
      output: log.fd,
    }).finally(() => log.close());
    if (await isReady(child, place.cluster, deadline)) return { child, port };
    await child.stop("SIGINT", STOP_GRACE_MS);
    const said = (await readFile(logFile)).subarray(size).toString().trim();
    // The port was taken since we looked, or sessions of a killed server have not noticed yet: both pass.
    const passing = /shared memory block/.test(said) || (!place.port && /address already in use/i.test(said));
    if (!passing || Date.now() > deadline) throw new Error(`Postgres did not start:\n${said}`);
    await delay(100);
  }
}

/** Postgres writes its state into line 8 of `postmaster.pid`; `pg_ctl -w` waits for it in the same way. */
async function isReady(child: TiedChild, cluster: string, deadline: number): Promise<boolean> {
  while (child.running && Date.now() < deadline) {
    const text = await readFile(join(cluster, "postmaster.pid"), "utf8").catch(() => "");
    const lines = text.split("\n");
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === "ready") return true;
    await delay(10);
  }
  return false;
}
