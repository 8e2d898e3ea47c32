import { createHash } from "node:crypto";
import { access, readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../../", import.meta.url));
const sourceDirs = ["web/app", "web/src", "client/src"];

/**
 * Hash over everything that a build of the page depends on: its sources, the client's, and the lock file that pins
 * the libraries. Equal hashes mean equal builds.
 */
export async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  const files = [await lockFile()];
  for (const dir of sourceDirs) {
    const entries = await readdir(join(packages, dir), { recursive: true, withFileTypes: true });
    files.push(
      ...entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)),
    );
  }
  for (const file of files.sort()) {
    const content = await readFile(file);
    hash.update(`${relative(packages, file)}\0${content.byteLength}\0`).update(content);
  }
  return hash.digest("hex");
}

/** The nearest package-lock.json at or above the packages folder. */
async function lockFile(): Promise<string> {
  for (let dir = packages; ; dir = dirname(dir)) {
    const file = join(dir, "package-lock.json");
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
    if (dir === dirname(dir)) throw new Error(`no package-lock.json above ${packages}`);
  }
}
