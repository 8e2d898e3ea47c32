import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../processes/free-port.ts";
import { startTiedChild, type TiedChild } from "../processes/tied-child.ts";
import { asUser, type RunAs } from "./run-as.ts";

/** What a server needs. */
export interface ServerOptions {
  /** Folder of the binaries. */
  folder: string;
  /** Data folder of the cluster. */
  cluster: string;
  /** Folder for `postgres.log`. */
  dataDir: string;
  runAs: RunAs;
  /** Without it a free one. */
  port?: number;
  /** When given, a server that ends by itself is started again on its port, and this hears of it. */
  onCrash?: (message: string) => void;
}

/** A server that accepts sessions. */
export interface Server {
  port: number;
  /** SIGKILL. */
  kill(): void;
  /** Fast shutdown. */
  stop(): Promise<void>;
}

/** The whole environment of Postgres's programs: nothing of ours changes what they do. */
export const POSTGRES_ENV = { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C" };

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
/** Between two tries to start a server that ended by itself. */
const RESTART_PAUSE_MS = 500;

/** Starts `postgres` and waits until it accepts sessions. Throws with what the server said. */
export async function runServer(options: ServerOptions): Promise<Server> {
  const port = options.port ?? (await freePort());
  const first = await launch(options, port);
  return { port: first.port, ...supervise(first.child, { ...options, port: first.port }) };
}

/** Watches the server and, if `onCrash` is given, replaces it when it ends by itself. */
function supervise(first: TiedChild, options: ServerOptions & { port: number }) {
  const { onCrash } = options;
  let child = first;
  let stopping = false;
  const watch = async () => {
    for (;;) {
      const code = await child.exited;
      if (stopping || !onCrash) return;
      onCrash(`Postgres ended with ${code}; starting it again`);
      // However often it takes: on a machine that is too busy now, a later start succeeds.
      while (!stopping && !child.running) {
        await launch(options, options.port).then(
          (next) => {
            child = next.child;
          },
          async (error: Error) => {
            onCrash(error.message);
            await delay(RESTART_PAUSE_MS);
          },
        );
      }
      if (stopping) await child.stop("SIGINT", STOP_GRACE_MS);
    }
  };
  const watching = watch();
  return {
    kill: () => child.kill("SIGKILL"),
    async stop() {
      stopping = true;
      await child.stop("SIGINT", STOP_GRACE_MS);
      await watching;
    },
  };
}

async function launch(
  options: ServerOptions,
  firstPort: number,
): Promise<{ child: TiedChild; port: number }> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  const logFile = join(options.dataDir, "postgres.log");
  for (let port = firstPort; ; port = options.port ?? (await freePort())) {
    const log = await open(logFile, "a", 0o600);
    const { size } = await log.stat();
    const settings = Object.entries({ ...SETTINGS, port: String(port) });
    const args = ["-D", options.cluster, ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    const child = await startTiedChild({
      ...asUser(options.runAs, join(options.folder, "bin", "postgres"), args),
      env: POSTGRES_ENV,
      orphanSignal: "INT",
      output: log.fd,
    }).finally(() => log.close());
    if (await isReady(child, options.cluster, deadline)) return { child, port };
    await child.stop("SIGINT", STOP_GRACE_MS);
    const said = (await readFile(logFile)).subarray(size).toString().trim();
    // The port was taken since we looked, or sessions of a killed server have not noticed yet: both pass.
    const passing =
      /shared memory block/.test(said) || (!options.port && /address already in use/i.test(said));
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
