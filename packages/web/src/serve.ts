import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import type { WebConfig } from "./config.ts";
import { contentSecurityPolicy } from "./csp.ts";

interface SiteFile {
  body: Uint8Array<ArrayBuffer>;
  type: string;
  etag: string;
}

const types: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};

/**
 * Site handler for a gateway: the files of a build made by `buildWeb`, `/podbase.json`, and the page itself for
 * every other path without a file extension. The build is read into memory once, so a request can name only what
 * the build holds: there is no path to climb out of.
 *
 * @param outDir folder of a finished build
 * @param config served as `/podbase.json`; its `url` is the one origin besides its own that the page may call
 * @returns a handler; it rejects if `outDir` holds no build
 */
export function serveWeb(outDir: string, config: WebConfig): (request: Request) => Promise<Response> {
  const site = loadSite(outDir);
  // Marked as seen here; whoever awaits a request is told of the failure.
  site.catch(() => undefined);
  const shared = {
    "content-security-policy": contentSecurityPolicy(config.url),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };

  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("Method not allowed", { status: 405, headers: { ...shared, allow: "GET, HEAD" } });
    }
    const answer = (
      status: number,
      body: string | Uint8Array<ArrayBuffer>,
      headers: Record<string, string>,
    ) =>
      new Response(request.method === "HEAD" || status === 304 ? null : body, {
        status,
        headers: { ...shared, ...headers },
      });

    const path = decodedPath(request.url);
    if (path === "/podbase.json") {
      const { url, publishableKey } = config;
      const headers = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" };
      return answer(200, JSON.stringify({ url, publishableKey }), headers);
    }
    const files = await site;
    const exact = path === undefined ? undefined : files.get(path);
    const file = exact ?? (path !== undefined && isPagePath(path) ? files.get("/index.html") : undefined);
    if (file === undefined) {
      return answer(404, "Not found", {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
      });
    }
    // Only files under /assets carry the hash of their content in their name.
    const hashed = exact !== undefined && path?.startsWith("/assets/");
    const headers = {
      "content-type": file.type,
      "cache-control": hashed ? "public, max-age=31536000, immutable" : "no-cache",
      etag: file.etag,
    };
    const unchanged = request.headers.get("if-none-match") === file.etag;
    return answer(unchanged ? 304 : 200, file.body, headers);
  };
}

/** Whether a path may be a place in the app rather than a file: its last part has no dot. */
function isPagePath(path: string): boolean {
  return !path.slice(path.lastIndexOf("/")).includes(".");
}

/** The request's path, percent-decoded, or undefined if it cannot be decoded. */
function decodedPath(url: string): string | undefined {
  try {
    return decodeURIComponent(new URL(url).pathname);
  } catch {
    return undefined;
  }
}

async function loadSite(outDir: string): Promise<Map<string, SiteFile>> {
  const files = new Map<string, SiteFile>();
  for (const entry of await readdir(outDir, { recursive: true, withFileTypes: true })) {
    const type = types[extname(entry.name)];
    if (!entry.isFile() || entry.name.startsWith(".") || type === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    const body = new Uint8Array(await readFile(file));
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    files.set(`/${relative(outDir, file).split(sep).join("/")}`, { body, type, etag });
  }
  if (!files.has("/index.html")) throw new Error(`${outDir} holds no build of the page: run buildWeb first`);
  return files;
}
