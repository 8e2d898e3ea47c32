import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { exposeToBrowsers, preflight } from "./cors.ts";
import { freePort } from "./processes/free-port.ts";
import { limitBody } from "./request-body.ts";

type Fetch = (request: Request) => Promise<Response>;

/** Where requests go, by the first part of their path. */
export interface Routes {
  rest: Fetch;
  auth: Fetch;
  storage: Fetch;
  realtime: Fetch;
  functions: Fetch;
  /** Takes over the upgrades of `/realtime/v1`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** All that is not Supabase's: the app's web page. */
  site?: Fetch;
}

/** The one HTTP server of a stack. */
export interface Gateway {
  /** `http://127.0.0.1:54321`. */
  url: string;
  port: number;
  /** From now on requests are served; before, they get 503. */
  open(routes: Routes): void;
  /** Resets every connection, and each new one until the returned function is called, as a broken network would. */
  cut(): () => void;
  /** Answers what is under way, for at most `graceMs`, then closes every connection. */
  close(graceMs: number): Promise<void>;
}

/** For services that read a whole body into memory; Storage and functions stream theirs. */
const MAX_BODY_BYTES = 50 * 1024 * 1024;
const IN_MEMORY = new Set(["rest", "auth", "realtime"]);
const SERVICES = new Set(["rest", "auth", "storage", "realtime", "functions"]);
/** Paths of a hosted project that nothing here answers (https://supabase.com/docs/guides/api). */
const NOT_SERVED = new Set(["graphql", "pg", "analytics", "mcp", "customer", "etl"]);

/** Listens on 127.0.0.1, on `port` if it is free and else on another. */
export async function startGateway(port: number, log: (message: string) => void): Promise<Gateway> {
  let routes: Routes | undefined;
  let cuts = 0;
  const fetch: Fetch = async (request) => {
    if (!routes) return problem(503, "starting", "The stack is starting");
    try {
      return await route(routes, request);
    } catch (error) {
      log(`gateway: ${request.method} ${new URL(request.url).pathname}: ${(error as Error).message}`);
      return problem(500, "internal_error", "Internal error; see the log of the stack");
    }
  };
  const server = createServer(
    getRequestListener(
      async (request, { incoming }) => {
        const response = await fetch(request);
        // Refused before the body was in: what is still on its way ends the connection, so nobody may use it again.
        if (response.ok || !("complete" in incoming) || incoming.complete) return response;
        const headers = new Headers(response.headers);
        headers.set("connection", "close");
        return new Response(response.body, { status: response.status, headers });
      },
      { overrideGlobalObjects: false },
    ),
  );
  // Longer than clients keep idle connections, so that none is closed just as a request leaves.
  server.keepAliveTimeout = 65_000;
  server.on("connection", (socket) => {
    if (cuts > 0) socket.resetAndDestroy();
  });
  server.on("upgrade", (request, socket, head) => {
    if (routes && (request.url ?? "").startsWith("/realtime/v1/")) routes.upgrade(request, socket, head);
    else socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  });
  server.listen(await freePort(port), "127.0.0.1");
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    open(given) {
      routes = given;
    },
    cut() {
      cuts += 1;
      server.closeAllConnections();
      let isCut = true;
      return () => {
        if (isCut) cuts -= 1;
        isCut = false;
      };
    },
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function route(routes: Routes, request: Request): Promise<Response> {
  const [, name = "", version] = new URL(request.url).pathname.split("/", 3);
  if (version !== "v1") return site(routes, request);
  if (NOT_SERVED.has(name)) {
    return exposeToBrowsers(problem(501, "not_implemented", `/${name}/v1 is not part of the local stack`));
  }
  if (!SERVICES.has(name)) return site(routes, request);
  // Functions answer preflights themselves, as on a hosted project.
  if (name === "functions") return routes.functions(request);
  if (request.method === "OPTIONS") return preflight(request);
  const service = routes[name as "rest" | "auth" | "storage" | "realtime"];
  if (!IN_MEMORY.has(name)) return exposeToBrowsers(await service(request));
  const limited = limitBody(request, MAX_BODY_BYTES);
  // The service can't know why the body broke off, so what it answers does not count then.
  const answer = limited.exceeded() ? undefined : await service(limited.request);
  if (answer && !limited.exceeded()) return exposeToBrowsers(answer);
  const message = `A body may have at most ${MAX_BODY_BYTES} bytes`;
  return exposeToBrowsers(problem(413, "payload_too_large", message));
}

async function site(routes: Routes, request: Request): Promise<Response> {
  return routes.site ? routes.site(request) : problem(404, "not_found", "no Route matched with those values");
}

const problem = (status: number, code: string, message: string): Response =>
  Response.json({ code, message }, { status });
