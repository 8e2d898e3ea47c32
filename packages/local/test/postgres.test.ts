import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { bootstrap } from "../src/bootstrap.ts";
import { type Postgres, startPostgres } from "../src/postgres/index.ts";
import { preparePostgres } from "../src/postgres/installation.ts";
import { endOrphan } from "../src/postgres/orphan.ts";
import { placeFor } from "../src/postgres/place.ts";
import { chooseRunAs, nobody } from "../src/postgres/run-as.ts";
import { FolderInUseError } from "../src/processes/folder-lock.ts";
import { commandOf, identityOf } from "../src/processes/process-identity.ts";
import { startProgram } from "./child-program.ts";
import { as, folder, removeAtEnd } from "./postgres-fixture.ts";

const postmasterOf = async (dataDir: string) =>
  Number.parseInt(await readFile(join(dataDir, "cluster", "postmaster.pid"), "utf8"), 10);
/** Commands of live processes that name the folder: servers, their sessions and what watches them. */
const processesNaming = async (path: string): Promise<string[]> => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(
    pids.map(async (pid) => ((await identityOf(pid)) === undefined ? undefined : commandOf(pid))),
  );
  return commands.filter((command): command is string => command?.includes(path) ?? false);
};

describe("the life of a server", () => {
  let server: Postgres | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });
  const start = async (dataDir: string, options: Partial<Parameters<typeof startPostgres>[0]> = {}) => {
    server = await startPostgres({ dataDir, ...options });
    await bootstrap(server);
    return server;
  };

  test("data outlives a restart, and a second bootstrap changes nothing", async () => {
    const dataDir = await folder();
    const first = await start(dataDir);
    expect(first.fresh).toBe(true);
    await as(first.ownerUrl, (sql) => sql`create table public.kept as select 1 as one`);
    await first.stop();
    const second = await startPostgres({ dataDir });
    server = second;
    expect(second.fresh).toBe(false);
    expect(await bootstrap(second)).toEqual({ fresh: false, outdated: false });
    expect(await as(second.ownerUrl, (sql) => sql`select one from public.kept`)).toEqual([{ one: 1 }]);
  });

  test("a folder has one server at a time", async () => {
    const dataDir = await folder();
    await start(dataDir);
    await expect(startPostgres({ dataDir })).rejects.toThrow(FolderInUseError);
  });

  test("a server that is killed comes back on its port with its data when asked to", async () => {
    const crashes = vi.fn();
    const { ownerUrl, kill } = await start(await folder(), { onCrash: crashes });
    await as(ownerUrl, (sql) => sql`create table public.kept as select 1 as one`);
    kill();
    await vi.waitFor(
      async () => expect(await as(ownerUrl, (sql) => sql`select one from public.kept`)).toEqual([{ one: 1 }]),
      { timeout: 20_000, interval: 100 },
    );
    expect(crashes).toHaveBeenCalledExactlyOnceWith("Postgres ended with SIGKILL; starting it again");
  });

  test("a server that could not be started again is tried again, until it comes back", async () => {
    const crashes = vi.fn();
    const dataDir = await folder();
    const { ownerUrl, kill } = await start(dataDir, { onCrash: crashes });
    await as(ownerUrl, (sql) => sql`create table public.kept as select 1 as one`);
    const needed = join(dataDir, "cluster", "global");
    await rename(needed, `${needed}.away`);
    kill();
    await vi.waitFor(
      () => expect(crashes).toHaveBeenCalledWith(expect.stringMatching(/^Postgres did not start/)),
      { timeout: 20_000, interval: 50 },
    );
    await rename(`${needed}.away`, needed);
    await vi.waitFor(
      async () => expect(await as(ownerUrl, (sql) => sql`select one from public.kept`)).toEqual([{ one: 1 }]),
      { timeout: 20_000, interval: 100 },
    );
  });

  test("nothing survives the SIGKILL of its owner, and the next start finds the data", async () => {
    const dataDir = await folder();
    const { child, said } = await startProgram<{ ownerUrl: string }>("hold-postgres.ts", dataDir);
    await as(said.ownerUrl, (sql) => sql`create table public.kept as select 1 as one`);
    const postmaster = await postmasterOf(dataDir);
    child.kill("SIGKILL");
    await once(child, "exit");
    // At once, while the server of the killed owner may still be there.
    const { ownerUrl } = await start(dataDir);
    expect(await as(ownerUrl, (sql) => sql`select one from public.kept`)).toEqual([{ one: 1 }]);
    expect(await postmasterOf(dataDir)).not.toBe(postmaster);
    await server?.stop();
    server = undefined;
    if (process.platform !== "linux") return;
    await vi.waitFor(async () => expect(await processesNaming(dataDir)).toEqual([]), {
      timeout: 10_000,
      interval: 100,
    });
  });

  test("all processes of a killed owner end by themselves", async () => {
    const dataDir = await folder();
    const { child } = await startProgram("hold-postgres.ts", dataDir);
    const postmaster = await postmasterOf(dataDir);
    expect(await identityOf(postmaster)).toBeDefined();
    child.kill("SIGKILL");
    await vi.waitFor(async () => expect(await identityOf(postmaster)).toBeUndefined(), {
      timeout: 10_000,
      interval: 50,
    });
    if (process.platform !== "linux") return;
    await vi.waitFor(async () => expect(await processesNaming(dataDir)).toEqual([]), {
      timeout: 10_000,
      interval: 100,
    });
  });

  test("a server without an owner is ended, a stranger with its number is not", async () => {
    const cluster = join(await folder(), "cluster");
    await mkdir(cluster);
    const orphan = spawn("sh", ["-c", "while :; do sleep 0.1; done", cluster]);
    const stranger = spawn("sleep", ["60"]);
    await Promise.all([once(orphan, "spawn"), once(stranger, "spawn")]);
    const ended = once(orphan, "exit");
    await writeFile(join(cluster, "postmaster.pid"), `${orphan.pid}\n`);
    await endOrphan(cluster);
    await ended;
    await writeFile(join(cluster, "postmaster.pid"), `${stranger.pid}\n`);
    await endOrphan(cluster);
    await expect(readFile(join(cluster, "postmaster.pid"))).rejects.toThrow("ENOENT");
    expect(stranger.exitCode).toBeNull();
    stranger.kill();
  });

  test.runIf(process.getuid?.() === 0)(
    "where namespaces are forbidden, root's server runs as nobody",
    async () => {
      const runAs = await nobody();
      const open = await folder();
      await chmod(open, 0o755);
      const closed = await folder();
      for (const dataDir of [open, closed]) {
        const { ownerUrl } = await start(dataDir, { runAs });
        expect(await as(ownerUrl, (sql) => sql`select current_user as role`)).toEqual([{ role: "postgres" }]);
        await server?.stop();
        const again = await start(dataDir, { runAs });
        expect(again.fresh).toBe(false);
        await again.stop();
        server = undefined;
        // What nobody can't reach has a place in the temporary folder instead.
        removeAtEnd(await placeFor(runAs, dataDir));
      }
    },
  );
});

describe("the private copy of Postgres", () => {
  test("is the same for all who make it at once, and leaves nothing else behind", async () => {
    const cache = await folder();
    const runAs = await chooseRunAs();
    const copies = await Promise.all([1, 2, 3].map(() => preparePostgres(runAs, cache)));
    expect(new Set(copies.map((copy) => copy.folder)).size).toBe(1);
    expect(await readdir(cache)).toHaveLength(1);
  });
});
