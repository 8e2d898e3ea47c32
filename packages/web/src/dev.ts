import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import react from "@vitejs/plugin-react";
import { createServer, type Plugin } from "vite";
import type { WebConfig } from "./config.ts";
import { viteConfig } from "./vite.ts";

/** A running dev server of the page. */
export interface DevWeb {
  /** Where it listens, on loopback. */
  url: string;
  /** Site handler for a gateway: passes a request on to the dev server. */
  fetch: (request: Request) => Promise<Response>;
  close: () => Promise<void>;
}

/**
 * Serves the page from its sources with hot reload, on a free loopback port. Behind a gateway, hot updates go from
 * the browser straight to that port. No Content-Security-Policy: Vite's client runs inline code.
 *
 * @param config served as `/podbase.json`
 */
export async function devWeb(config: WebConfig): Promise<DevWeb> {
  const http = createHttpServer();
  await new Promise<void>((listening, failed) => {
    http.once("error", failed).listen(0, "127.0.0.1", listening);
  });
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  const base = viteConfig();
  const vite = await createServer({
    ...base,
    plugins: [react(), configFile(config)],
    server: { middlewareMode: true, hmr: { server: http, host: "127.0.0.1", clientPort: port } },
  });
  http.on("request", vite.middlewares);

  return {
    url,
    fetch: (request) => {
      const { pathname, search } = new URL(request.url);
      const accept = request.headers.get("accept") ?? "*/*";
      return fetch(new URL(pathname + search, url), { method: request.method, headers: { accept } });
    },
    close: async () => {
      await vite.close();
      http.closeAllConnections();
      await new Promise<void>((closed) => http.close(() => closed()));
    },
  };
}

function configFile({ url, publishableKey }: WebConfig): Plugin {
  return {
    name: "podbase-config",
    configureServer(server) {
      server.middlewares.use("/podbase.json", (_request, response) => {
        response.setHeader("content-type", "application/json; charset=utf-8");
        response.setHeader("cache-control", "no-store");
        response.end(JSON.stringify({ url, publishableKey }));
      });
    },
  };
}
