import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Stack, type StackOptions, startStack } from "@podbase/local";
import {
  command,
  createSimulator,
  type EndpointOptions,
  type Handler,
  type Simulator,
} from "@podbase/simulator";
import { buildWeb, serveWeb } from "@podbase/web";
import { handlerCommand } from "@podbase/worker";

/** RunPod endpoint ids of the demo's own, by route. */
const ENDPOINTS = { text: "reading-text", audio: "reading-audio", pdf: "reading-pdf" } as const;
/** The routes of a reading. */
export type Route = keyof typeof ENDPOINTS;
const ROUTES = Object.keys(ENDPOINTS) as Route[];
const API_KEY = "rpa_simulator";

/** How a demo stack is started. */
export interface DemoOptions {
  /** Folder that contains `supabase/`. */
  projectDir: string;
  /** Where everything is kept; a second start on it goes on where the first ended. */
  dataDir: string;
  /** Gateway port; a free one is taken when it is busy. */
  port?: number;
  /** How long a worker takes to wake, in ms. */
  coldStartMs: number;
  /** Handlers by route, in place of the reading worker's own. */
  handlers?: Partial<Record<Route, Handler>>;
  /** How the endpoints behave, where not as the demo's own, which have one worker each. */
  endpoint?: Omit<EndpointOptions, "handler" | "coldStartMs">;
  /** Jobs that an endpoint may have at a time; 10 if not given. */
  maxInFlight?: number;
  /** Folder for the built page; without it no page is served. */
  webDir?: string;
  /** More for the stack beneath; a `site` stands in for the built page. */
  stack?: Pick<StackOptions, "site" | "onFunctionsChange" | "prepare" | "watch">;
  log: (message: string) => void;
}

/** The whole of Podbase in one process tree: Supabase, the RunPod simulator with the reading worker, the page. */
export interface DemoStack {
  stack: Stack;
  simulator: Simulator;
  stop(): Promise<void>;
}

/** Starts the demo. Throws StackInUseError when another process runs on `dataDir`. */
export async function startDemoStack(options: DemoOptions): Promise<DemoStack> {
  const { projectDir, dataDir, coldStartMs, webDir, log } = options;
  if (webDir) await buildWeb({ outDir: webDir });
  // The stack locks the folder that the simulator keeps its state in, so it comes first; what it asks of RunPod before
  // the simulator listens is refused and tried again.
  const runpodPort = await freePort();
  let site = options.stack?.site;
  const stack = await startStack({
    ...options.stack,
    projectDir,
    dataDir,
    functionsEnv: { RUNPOD_API_KEY: API_KEY, RUNPOD_BASE_URL: `http://127.0.0.1:${runpodPort}/v2` },
    log,
    ...(options.port === undefined ? {} : { port: options.port }),
    site: async (request) => (site ? site(request) : new Response("There is no page here.", { status: 404 })),
  });
  if (webDir) site = serveWeb(webDir, { url: stack.url, publishableKey: stack.publishableKey });
  try {
    const simulator = await createSimulator({
      apiKey: API_KEY,
      port: runpodPort,
      // RunPod outlives a crash of ours, so its twin does too.
      stateFile: join(dataDir, "runpod.json"),
      endpoints: Object.fromEntries(
        ROUTES.map((route) => [
          ENDPOINTS[route],
          {
            handler: options.handlers?.[route] ?? command(handlerCommand(route)),
            coldStartMs,
            pickupMs: [20, 100],
            idleTimeoutMs: 20_000,
            workersMax: 1,
            ...options.endpoint,
          },
        ]),
      ),
    });
    await configure(stack, options.maxInFlight ?? 10);
    return {
      stack,
      simulator,
      async stop() {
        await simulator.stop();
        await stack.stop();
      },
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** Endpoints and routes as a project would set them; polls come early because the demo's GPUs are quick. */
async function configure(stack: Stack, maxInFlight: number): Promise<void> {
  const endpoint = { maxInFlight, firstPollMs: 5000, evidenceWindowMs: 5000 };
  await stack.sql`select podbase.configure(${stack.sql.json({
    endpoints: Object.fromEntries(
      Object.values(ENDPOINTS).map((id) => [id, { ...endpoint, providerId: id }]),
    ),
    routes: Object.fromEntries(Object.entries(ENDPOINTS).map(([route, id]) => [route, [id]])),
  })})`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
