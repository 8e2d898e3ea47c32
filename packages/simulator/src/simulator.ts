import { randomBytes } from "node:crypto";
import { createApp } from "./api/app.ts";
import { JobApi } from "./api/job-api.ts";
import { type Listening, listen } from "./api/server.ts";
import type { Fault } from "./core/fault.ts";
import { Faults } from "./core/faults.ts";
import { History, type Listener, type SimulatorEvent } from "./core/history.ts";
import { Platform } from "./core/platform.ts";
import { createRandom } from "./core/random.ts";
import {
  type EndpointSettings,
  endpointSettings,
  PLATFORM_DEFAULTS,
  type PlatformSettings,
} from "./core/settings.ts";
import type { JobStore, Post, World } from "./core/world.ts";
import { createFleetOf } from "./fleets.ts";
import { builtIn } from "./handlers/built-in.ts";
import { KILL_AFTER_MS } from "./handlers/command.ts";
import { Executor } from "./handlers/executor.ts";
import type { Handler } from "./handlers/handler.ts";
import { httpPost } from "./http-post.ts";
import type { Watched } from "./live/feed.ts";
import { liveRoutes } from "./live/routes.ts";
import { Management, type PlanImage } from "./management/management.ts";
import { managementRoutes } from "./management/routes.ts";
import { type EndpointReport, reportOf } from "./report.ts";
import { openStateFile } from "./state-file.ts";
import type { Clock } from "./time/clock.ts";
import { realClock } from "./time/real-clock.ts";
import { scopedClock } from "./time/scoped-clock.ts";
import type { VirtualClock } from "./time/virtual-clock.ts";
import { workerEnvironment } from "./worker-environment.ts";

/** An endpoint: its handler, and how it differs from RunPod's defaults. */
export type EndpointOptions = {
  /** `"worker"`: programs of your own do the work, over the worker protocol. */
  handler: Handler<never> | "worker";
  /** Whether what a generator yields is its output too (RunPod's `return_aggregate_stream`). */
  returnAggregateStream?: boolean;
} & Partial<EndpointSettings>;

/** What {@link createSimulator} takes. */
export interface SimulatorOptions {
  /** The one key that is let in. */
  apiKey: string;
  /** By endpoint id. */
  endpoints: Record<string, EndpointOptions>;
  /**
   * What endpoints do that are created through the management API, by the image they name. The built-in handlers
   * are images by their names; an endpoint with any other image waits for workers of your own.
   */
  images?: Record<string, EndpointOptions>;
  /** Same seed, same calls, virtual time: same history. Default: a fresh one, see `seed` of the simulator. */
  seed?: number | string;
  /** Default: a real clock at speed 1. Share a virtual one to move several parts of a test together. */
  clock?: Clock | VirtualClock;
  /** On 127.0.0.1. Default 0: any free one. */
  port?: number;
  retention?: Partial<PlatformSettings["retention"]>;
  webhook?: Partial<PlatformSettings["webhook"]> & {
    /** Sends webhooks in place of HTTP. */
    post?: Post;
  };
  /** False: none. Otherwise by operation, over RunPod's own. */
  rateLimits?: PlatformSettings["rateLimits"] | false;
  largest?: Partial<PlatformSettings["largest"]>;
  region?: PlatformSettings["region"];
  /** Default: none is sent. */
  retryAfterSeconds?: number;
  errorBody?: PlatformSettings["errorBody"];
  faults?: readonly Fault[];
  /** Keeps all jobs in this file, so that they outlive the process. One simulator at a time may use it. */
  stateFile?: string;
  /** How many events the history keeps. Default 50,000. */
  historyLimit?: number;
}

/** A running RunPod twin. */
export interface Simulator {
  /** Base of the job API: `http://127.0.0.1:PORT/v2`. */
  readonly url: string;
  /** Base of the management API, in place of `https://api.runpod.io/v2`. */
  readonly managementUrl: string;
  readonly seed: string;
  /** The clock's time. */
  now(): number;
  /**
   * The same API without a socket, to be put in the place of `fetch`. The host of the address doesn't matter.
   * Rejects where the connection would be reset, and on abort.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Endpoints with their workers and jobs, as RunPod would know them. */
  endpoints(): EndpointReport[];
  history(): SimulatorEvent[];
  /** Calls back on each event from now on. Returns how to stop. */
  subscribe(listener: Listener): () => void;
  /** The first event that fits, past or future. */
  until(fits: (event: SimulatorEvent) => boolean): Promise<SimulatorEvent>;
  /** Puts a fault in force. Returns how to lift it. */
  inject(fault: Fault): () => void;
  /** The environment variables that RunPod's worker library needs to serve this endpoint as that worker. */
  workerEnvironment(endpoint: string, worker: string): Record<string, string>;
  /** Moves a virtual clock. Rejects when the clock is a real one. */
  advance(ms: number): Promise<void>;
  /** Stops serving, aborts handlers and waits for commands to be gone. */
  stop(): Promise<void>;
}

const HISTORY_LIMIT = 50_000;
/** For functions that ignore their abort; commands are killed by then. Real milliseconds. */
const STOP_PATIENCE_MS = KILL_AFTER_MS + 1000;

const isVirtual = (clock: Clock | VirtualClock): clock is VirtualClock => "advance" in clock;

const onceAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

const BUILT_IN_IMAGES = Object.fromEntries(
  Object.entries(builtIn).map(([name, handler]): [string, EndpointOptions] => [name, { handler }]),
);

const NOT_KEPT: JobStore = { save() {}, remove() {} };

/**
 * Starts a simulator. Throws a RangeError on settings that can't be, and rejects when the port is taken or the
 * state file can't be read.
 */
export const createSimulator = async (options: SimulatorOptions): Promise<Simulator> => {
  if (options.apiKey === "") throw new RangeError("apiKey must not be empty: everybody would be let in");
  let made: Made;
  // Before the state file is touched and anything begins: whoever has the port may well be using that file.
  const server = await listen((request, env) => made.serve(request, env), options.port ?? 0);
  try {
    made = make(options, server);
  } catch (error) {
    await server.close();
    throw error;
  }
  return made.simulator;
};

interface Made {
  simulator: Simulator;
  serve: ReturnType<typeof createApp>["fetch"];
}

/** All but the server, which asks for nothing before this has returned. */
const make = (options: SimulatorOptions, server: Listening): Made => {
  const clock = options.clock ?? realClock();
  const own = scopedClock(clock);
  const startedAt = own.now();
  const seed = String(options.seed ?? randomBytes(8).toString("hex"));
  const platformSettings: PlatformSettings = {
    retention: { ...PLATFORM_DEFAULTS.retention, ...options.retention },
    webhook: { ...PLATFORM_DEFAULTS.webhook, ...options.webhook },
    rateLimits:
      options.rateLimits === false ? {} : { ...PLATFORM_DEFAULTS.rateLimits, ...options.rateLimits },
    largest: { ...PLATFORM_DEFAULTS.largest, ...options.largest },
    region: options.region ?? PLATFORM_DEFAULTS.region,
    retryAfterSeconds: options.retryAfterSeconds,
    errorBody: options.errorBody ?? PLATFORM_DEFAULTS.errorBody,
  };
  const executor = new Executor(own);
  const plans = Object.entries(options.endpoints).map(
    ([id, { handler, returnAggregateStream, ...given }]) => ({
      id,
      handler,
      returnAggregateStream,
      settings: endpointSettings(id, given),
    }),
  );
  const state =
    options.stateFile === undefined ? undefined : openStateFile(options.stateFile, () => own.now());
  // A later process must not give out the ids of an earlier one again.
  const random = createRandom(state ? `${seed}/${state.boots}` : seed);
  const history = new History(() => own.now(), options.historyLimit ?? HISTORY_LIMIT);
  const faults = new Faults(random.stream("faults"), history, () => own.now() - startedAt);
  for (const fault of options.faults ?? []) faults.add(fault);
  const http = httpPost(platformSettings.webhook.redirects);
  const post = options.webhook?.post ?? http.post;
  const world: World = {
    clock: own,
    random,
    history,
    faults,
    settings: platformSettings,
    store: state ?? NOT_KEPT,
    post,
  };

  const endpoints = Object.fromEntries(
    plans.map(({ id, settings, handler, returnAggregateStream }) => [
      id,
      { settings, fleet: createFleetOf(world, executor, handler, returnAggregateStream) },
    ]),
  );
  const platform = new Platform(world, endpoints, state?.kept ?? []);
  const api = new JobApi(platform, world, options.apiKey);
  const images: Record<string, EndpointOptions> = { ...BUILT_IN_IMAGES, ...options.images };
  const planImage: PlanImage = (image, id, asked) => {
    const known = Object.hasOwn(images, image) ? images[image] : undefined;
    const { handler, returnAggregateStream, ...given } = known ?? { handler: "worker" };
    return {
      settings: endpointSettings(id, { ...given, ...asked }),
      fleet: createFleetOf(world, executor, handler, returnAggregateStream),
    };
  };
  const watched: Watched = {
    seed,
    now: () => own.now(),
    endpoints: () => platform.endpoints().map(reportOf),
    history: () => history.events(),
    subscribe: (listener) => history.subscribe(listener),
  };
  const management = new Management(platform, world, planImage);
  const app = createApp(
    api,
    managementRoutes(management, (authorization) => api.isAuthorized(authorization)),
    liveRoutes(watched),
  );
  const release = async () => {
    own.close();
    state?.close();
    for (const endpoint of platform.endpoints()) endpoint.leases.abortAll();
    await executor.finish(STOP_PATIENCE_MS);
    http.close();
  };

  let stopped: Promise<void> | undefined;
  const origin = `http://127.0.0.1:${server.port}`;
  const url = `${origin}/v2`;
  const simulator: Simulator = {
    url,
    managementUrl: `${origin}/management/v2`,
    ...watched,
    fetch(input, init) {
      const request = new Request(input, init);
      return Promise.race([app.fetch(request), onceAborted(request.signal)]);
    },
    until: (fits) => history.until(fits),
    inject: (fault) => faults.add(fault),
    workerEnvironment: (endpoint, worker) =>
      workerEnvironment({ url, apiKey: options.apiKey, endpoint, worker }),
    async advance(ms) {
      if (!isVirtual(clock)) throw new Error("only a virtual clock can be advanced");
      await clock.advance(ms);
    },
    stop() {
      stopped ??= Promise.all([server.close(), release()]).then(() => undefined);
      return stopped;
    },
  };
  return { simulator, serve: app.fetch };
};
