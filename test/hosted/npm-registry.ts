import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join } from "node:path";

/** An npm registry that has what `npm ci` installed, and nothing else. */
export interface NpmRegistry {
  /** For `NPM_CONFIG_REGISTRY`. */
  url: string;
  close(): Promise<void>;
}

/**
 * Serves the packages of `root`'s package-lock.json from its `node_modules` on a free loopback port, so that Deno can
 * resolve `npm:` in a folder without `node_modules` and without a network.
 */
export async function startNpmRegistry(root: string): Promise<NpmRegistry> {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version?: string }>;
  };
  const folders = new Map<string, Map<string, string>>();
  for (const [folder, { version }] of Object.entries(lock.packages)) {
    const name = /.*node_modules\/(.+)$/.exec(folder)?.[1];
    // The lock names optional packages of all platforms; npm installed those of this one.
    if (!name || !version || !existsSync(join(root, folder, "package.json"))) continue;
    const versions = folders.get(name) ?? new Map<string, string>();
    folders.set(name, versions.set(version, join(root, folder)));
  }

  const describe = async (name: string, versions: Map<string, string>) => ({
    name,
    "dist-tags": {},
    versions: Object.fromEntries(
      await Promise.all(
        [...versions].map(async ([version, folder]) => [
          version,
          {
            ...JSON.parse(await readFile(join(folder, "package.json"), "utf8")),
            dist: { tarball: `${url}tarballs/${name}/${version}` },
          },
        ]),
      ),
    ),
  });

  const serve = async (path: string, response: ServerResponse): Promise<void> => {
    const [, tarball, version = ""] = /^tarballs\/(.+)\/([^/]+)$/.exec(path) ?? [];
    const versions = folders.get(tarball ?? path);
    const folder = versions?.get(version);
    if (tarball && folder) return pack(folder, response);
    if (tarball || !versions) {
      response.writeHead(404).end("{}");
      return;
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(await describe(path, versions)));
  };
  const server = createServer((request, response) => {
    serve(decodeURIComponent((request.url ?? "").slice(1)), response).catch((error) =>
      response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The folder as a package's tarball; whoever unpacks one passes over the name of its first folder. */
async function pack(folder: string, response: ServerResponse): Promise<void> {
  const tar = spawn("tar", ["-czf", "-", "--exclude=node_modules", "-C", dirname(folder), basename(folder)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  tar.stdout.pipe(response);
  const [code] = await once(tar, "close");
  if (code !== 0) response.destroy();
}
