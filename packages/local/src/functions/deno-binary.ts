import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PACKAGES: Record<string, string> = {
  "linux-x64": "@deno/linux-x64-glibc",
  "linux-arm64": "@deno/linux-arm64-glibc",
  "darwin-x64": "@deno/darwin-x64",
  "darwin-arm64": "@deno/darwin-arm64",
};
const require = createRequire(import.meta.url);

/**
 * Path of the Deno that npm installed. The platform's own package is asked, not `deno`, whose binary is copied by an
 * install script that npm may have blocked.
 */
export function findDeno(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  if (!name) throw new Error(`no Deno for ${platform}; it exists for ${Object.keys(PACKAGES).join(", ")}`);
  // It is a dependency of `deno`, which is ours.
  const fromDeno = createRequire(require.resolve("deno/package.json"));
  try {
    return join(dirname(fromDeno.resolve(`${name}/package.json`)), "deno");
  } catch (cause) {
    throw new Error(`${name} is not installed; npm leaves it out under --omit=optional`, { cause });
  }
}
