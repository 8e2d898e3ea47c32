import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  access,
  chmod,
  constants,
  copyFile,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findPostgres, type PostgresBinaries } from "./binaries.ts";
import { canReach, type RunAs } from "./run-as.ts";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const SHIMS = fileURLToPath(new URL("../../sql/extensions/", import.meta.url));
/** Raise when the layout of the copy changes. */
const LAYOUT = 1;

/** A Postgres of our own: the npm package's files plus library links and our extensions. */
export interface Installation {
  /** Folder with `bin`, `lib`, `share`. */
  folder: string;
}

/**
 * Makes, or finds, the private copy under `.podbase/postgres` beside the `node_modules` of the binaries (same file
 * system, so hard links cost no space), or in the system's temporary folder where that can't be written or read.
 * Safe to call from many processes at once: a copy appears under its name only when complete. `cache` is a folder that
 * exists and takes the place of both.
 */
export async function preparePostgres(runAs: RunAs, cache?: string): Promise<Installation> {
  const binaries = await findPostgres();
  const shims = await readShims();
  const pgtap = findPgtap();
  const key = createHash("sha256").update(JSON.stringify([LAYOUT, shims]));
  if (pgtap) key.update(await readFile(pgtap));
  const parent = cache ?? (await cacheFolder(binaries, runAs));
  const folder = join(parent, `${binaries.version}-${key.digest("hex").slice(0, 12)}`);
  if (await exists(join(folder, "bin", "postgres"))) return { folder };

  const draft = await mkdtemp(join(parent, "draft-"));
  await chmod(draft, 0o755);
  await copyTree(binaries.native, draft);
  await linkLibraries(binaries.native, draft);
  const extensions = join(draft, "share", "postgresql", "extension");
  for (const [name] of shims) await copyFile(join(SHIMS, name), join(extensions, name));
  if (pgtap) await run("tar", ["-xzf", pgtap, "-C", draft, "share/postgresql/extension"]);
  try {
    await rename(draft, folder);
  } catch (error) {
    // Another start was first; its copy is as good.
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(join(folder, "bin", "postgres")))) throw error;
  }
  return { folder };
}

async function readShims(): Promise<[name: string, text: string][]> {
  const names = (await readdir(SHIMS)).filter((name) => /\.(control|sql)$/.test(name)).sort();
  return Promise.all(
    names.map(async (name): Promise<[string, string]> => [name, await readFile(join(SHIMS, name), "utf8")]),
  );
}

/** pgTAP's SQL, packed in the npm package of PGlite's build. A development dependency: not there in an app. */
function findPgtap(): string | undefined {
  try {
    return join(dirname(require.resolve("@electric-sql/pglite-pgtap")), "pgtap.tar.gz");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

async function cacheFolder(binaries: PostgresBinaries, runAs: RunAs): Promise<string> {
  const beside = join(binaries.projectDir, ".podbase", "postgres");
  const usable = await mkdir(beside, { recursive: true })
    .then(() => access(beside, constants.W_OK))
    .then(() => canReach(runAs, beside))
    .catch(() => false);
  if (usable) return beside;
  const uid = process.getuid?.() ?? 0;
  const shared = join(tmpdir(), `podbase-${uid}`);
  await mkdir(shared, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  // Anyone may write in the temporary folder: run binaries only from a folder that is ours alone.
  const found = await lstat(shared);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0) {
    throw new Error(`${shared} belongs to someone else; remove it or set TMPDIR`);
  }
  await mkdir(join(shared, "postgres"), { recursive: true });
  return join(shared, "postgres");
}

async function copyTree(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true, recursive: true });
  for (const entry of entries) {
    const source = join(entry.parentPath, entry.name);
    const target = join(to, relative(from, source));
    // `recursive` lists a folder before what is in it. Links are made from the package's own list, see below.
    if (entry.isDirectory()) await mkdir(target, { recursive: true });
    else if (entry.isFile()) await place(source, target, basename(entry.parentPath) === "bin");
  }
}

async function place(source: string, target: string, executable: boolean): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if (executable && !(await isExecutable(source))) {
    // Never chmod a hard link: it would change the file in node_modules.
    await copyFile(source, target);
    await chmod(target, 0o755);
    return;
  }
  try {
    await link(source, target);
  } catch {
    // Another file system, or a kernel that forbids links to files of other users.
    await copyFile(source, target);
  }
}

/** The package leaves its library links to an install script, which npm may have blocked. */
async function linkLibraries(native: string, to: string): Promise<void> {
  const text = await readFile(join(native, "pg-symlinks.json"), "utf8");
  const links = JSON.parse(text) as { source: string; target: string }[];
  for (const { source, target } of links) {
    await symlink(basename(source), join(to, target.replace(/^native\//, "")));
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
