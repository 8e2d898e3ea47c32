import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lockFolder } from "../processes/folder-lock.ts";
import { startTiedChild } from "../processes/tied-child.ts";
import { preparePostgres } from "./installation.ts";
import { endOrphan } from "./orphan.ts";
import { loadPasswords, type Passwords } from "./passwords.ts";
import { placeFor } from "./place.ts";
import { asUser, chooseRunAs, handOver, type RunAs } from "./run-as.ts";
import { POSTGRES_ENV, runServer } from "./server.ts";

/** Options of `startPostgres`. */
export interface PostgresOptions {
  /** Folder for the cluster, its passwords and its log; made if need be. One server at a time. */
  dataDir: string;
  /** TCP port on 127.0.0.1; without it a free one. */
  port?: number;
  /** Which user the server runs as; found out by default. */
  runAs?: RunAs;
  /** When given, a server that ends by itself is started again on its port, and this hears of it. */
  onCrash?: (message: string) => void;
}

/** A running Postgres 17. Only 127.0.0.1, only with a password. */
export interface Postgres {
  port: number;
  /** True when this start made the cluster. */
  fresh: boolean;
  /** `postgres://supabase_admin:…@127.0.0.1:…/postgres`. */
  superuserUrl: string;
  /** The same as role `postgres`, which is no superuser and exists after `bootstrap`. */
  ownerUrl: string;
  passwords: Passwords;
  /** URL of any login role and database. */
  urlOf(role: string, database?: string): string;
  /** SIGKILL, as the kernel out of memory would send. For tests of recovery. */
  kill(): void;
  /** Fast shutdown: open sessions are ended, data is kept. */
  stop(): Promise<void>;
}

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
    const server = await runServer({ ...options, folder, cluster, runAs });
    const { port } = server;
    const urlOf = (role: string, database = "postgres") => {
      const password = role === "supabase_admin" ? passwords.superuser : passwords.roles;
      return `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
    };
    return {
      port,
      fresh,
      passwords,
      superuserUrl: urlOf("supabase_admin"),
      ownerUrl: urlOf("postgres"),
      urlOf,
      kill: server.kill,
      async stop() {
        await server.stop();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

interface NewCluster {
  /** Of the binaries. */
  folder: string;
  home: string;
  cluster: string;
  runAs: RunAs;
  password: string;
}

/** Runs initdb unless the cluster is there; whether it did. */
async function makeCluster(place: NewCluster): Promise<boolean> {
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
    env: POSTGRES_ENV,
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
