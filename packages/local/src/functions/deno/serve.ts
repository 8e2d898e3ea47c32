/**
 * Runs one Edge Function under Deno. Started by `deno-worker.ts` with the function's entry point as first argument, never
 * imported by the rest of the stack. Both styles work: `export default { fetch }` and `Deno.serve(handler)`.
 */

type Handler = (request: Request, info?: unknown) => Response | Promise<Response>;

interface HttpServer {
  finished: Promise<void>;
  shutdown(): Promise<void>;
}

/** The little of Deno that is used here; the stack itself is type-checked for Node. */
declare const Deno: {
  args: string[];
  env: { get(name: string): string | undefined; delete(name: string): void };
  exit(code: number): never;
  addSignalListener(signal: string, listener: () => void): void;
  serve(options: object, handler: Handler): HttpServer;
};

const TOKEN_HEADER = "x-podbase-token";

const entry = Deno.args[0] as string;
const token = Deno.env.get("PODBASE_TOKEN");
Deno.env.delete("PODBASE_TOKEN");

const background = new Set<Promise<unknown>>();
Object.defineProperty(globalThis, "EdgeRuntime", {
  value: {
    waitUntil<T>(promise: Promise<T>): Promise<T> {
      const settled = Promise.resolve(promise)
        .catch((error: unknown) => console.error("waitUntil:", error))
        .finally(() => background.delete(settled));
      background.add(settled);
      return promise;
    },
  },
});

let handler: Handler | undefined;
const serve = Deno.serve;
Object.defineProperty(Deno, "serve", {
  value: (...args: (Handler | { handler?: Handler })[]): HttpServer => {
    // serve(handler), serve(options, handler), serve({ handler, ...options })
    for (const argument of args) handler ??= typeof argument === "function" ? argument : argument.handler;
    // The port is the stack's to choose; the function's own server never ends.
    return { finished: new Promise(() => {}), shutdown: async () => {} };
  },
});

const module = (await import(entry)) as { default?: { fetch?: Handler } };
handler ??= module.default?.fetch?.bind(module.default);
if (!handler) {
  console.error(`${entry} neither calls Deno.serve nor exports default { fetch }`);
  Deno.exit(1);
}
const answer = handler;

const server = serve(
  {
    hostname: "127.0.0.1",
    port: 0,
    // The first line that the stack reads; what the function printed before is its own output.
    onListen: ({ port }: { port: number }) => console.log(`\nPODBASE_READY ${port}`),
  },
  (request, info) => {
    // Any user of the machine can reach the port; only the gateway knows the token.
    if (request.headers.get(TOKEN_HEADER) !== token) return new Response(null, { status: 403 });
    return answer(request, info);
  },
);

// The stack's way to retire this process: answer what is under way, finish what waitUntil holds, then end.
Deno.addSignalListener("SIGTERM", async () => {
  globalThis.dispatchEvent(new CustomEvent("beforeunload", { detail: { reason: "termination" } }));
  await server.shutdown();
  while (background.size > 0) await Promise.all(background);
  Deno.exit(0);
});
