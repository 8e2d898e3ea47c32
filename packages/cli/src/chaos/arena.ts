import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Stack, startStack } from "@podbase/local";
import { createSimulator, type Simulator } from "@podbase/simulator";
import { Ledger } from "./ledger.ts";
import { makeChaosProject } from "./project.ts";
import { chaosWorker } from "./worker.ts";

/**
 * Seconds of a real project that one second here stands for. RunPod's periods and all that can be configured are so much
 * shorter; what is fixed (a claim's lease of 30 s, the minute in which a 404 is not believed) stays and is harder here.
 */
export const SCALE = 20;
/** How long RunPod keeps a result here: its 30 minutes. */
export const RETENTION_MS = (30 * 60_000) / SCALE;

const API_KEY = "rpa_simulator";
const ENDPOINTS = ["gpu-a", "gpu-b"];

/** The whole stack with RunPod's twin, in which runs take place one after another. */
export interface Arena {
  stack: Stack;
  simulator: Simulator;
  /** Folder of the stack's data. */
  dataDir: string;
  /** RunPod's side of the account, anew for each run. */
  ledger: Ledger;
  /** What the stack said lately, for when a run breaks off. */
  said: string[];
  /** Undoes what an earlier run left: breakers that opened, habits of cron. */
  reset(): Promise<void>;
  /** Ends it and removes its folders. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * The time to live of a job at RunPod, after which it is forgotten whatever became of it: longer than a result is kept at
 * its end, as in a real project, where the one is a day and the other half an hour.
 */
const TTL_MS = RETENTION_MS + 50_000;

/** Lines of the stack that are kept. */
const KEPT_LINES = 20;

/**
 * Starts it on free ports in temporary folders. A shorter `ttlMs` lets a run end sooner in which one class of faults alone
 * leaves an attempt in doubt that must not be bought twice: it waits for its time to live. `onStart` gets what ends it
 * early, before it has come up, too.
 */
export async function startArena(
  projectDir: string,
  {
    ttlMs = TTL_MS,
    onStart = () => {},
  }: { ttlMs?: number; onStart?: (stop: () => Promise<void>) => void } = {},
): Promise<Arena> {
  const dataDir = await mkdtemp(join(tmpdir(), "podbase-chaos-"));
  const project = await makeChaosProject(projectDir);
  let simulator: Simulator | undefined;
  let starting: Promise<Stack> | undefined;
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      await simulator?.stop();
      // A start that failed has taken back what it did.
      const stack = await starting?.catch(() => undefined);
      await stack?.stop();
      await rm(dataDir, { recursive: true, force: true });
    })();
    return stopped;
  };
  const said: string[] = [];
  const arena = { ledger: new Ledger(), dataDir, said, stop } as Arena;
  onStart(stop);
  try {
    simulator = await startRunPod(() => arena.ledger);
    simulator.subscribe((event) => arena.ledger.note(event));
    starting = startStack({
      projectDir: project,
      dataDir,
      port: 0,
      watch: false,
      functionsEnv: { RUNPOD_API_KEY: API_KEY, RUNPOD_BASE_URL: simulator.url },
      log: (line) => {
        said.push(line);
        if (said.length > KEPT_LINES) said.shift();
      },
    });
    const stack = await starting;
    Object.assign(arena, { stack, simulator, reset: () => configure(stack, ttlMs) });
    await arena.reset();
    return arena;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** RunPod's twin with its own periods at the run's scale. */
function startRunPod(ledger: () => Ledger): Promise<Simulator> {
  const scaled = (...ms: number[]) => ms.map((each) => Math.round(each / SCALE));
  const endpoint = {
    handler: chaosWorker(ledger),
    coldStartMs: scaled(4000, 16_000) as [number, number],
    pickupMs: [0, 50] as [number, number],
    idleTimeoutMs: 30_000,
    workersMax: 3,
    jobsPerWorker: 5,
    lossMs: scaled(39_000, 46_000) as [number, number],
    timeoutLatenessMs: scaled(2800, 11_800) as [number, number],
    stopGraceMs: 10_000 / SCALE,
    restartMs: 10_000 / SCALE,
  };
  return createSimulator({
    apiKey: API_KEY,
    retention: { runMs: RETENTION_MS },
    webhook: { retryDelaysMs: scaled(5000, 15_000) },
    endpoints: Object.fromEntries(ENDPOINTS.map((id) => [id, endpoint])),
  });
}

/** The engine's own periods at the run's scale, and cron as often as pg_cron can. */
async function configure({ sql }: Stack, ttlMs: number): Promise<void> {
  const endpoint = {
    maxInFlight: 40,
    // Long for what a worker does, for on a busy machine its calls may have to wait for functions that start.
    executionTimeoutMs: Math.min(60_000, ttlMs / 2),
    ttlMs,
    firstPollMs: 30_000 / SCALE,
    maxPollMs: 600_000 / SCALE,
    evidenceWindowMs: 120_000 / SCALE,
  };
  const config = {
    endpoints: Object.fromEntries(ENDPOINTS.map((id) => [id, { ...endpoint, providerId: id }])),
    routes: { gpu: ENDPOINTS },
    settings: { breaker_pause: `${10_000 / SCALE} milliseconds` },
  };
  await sql`select podbase.configure(${sql.json(config)})`;
  await sql`
    update podbase_private.endpoints set breaker = 'closed', submit_failures = 0, run_failures = 0,
      breaker_trips = 0, breaker_until = null`;
  // As data: base 2 s and cap 5 minutes, unless an earlier run has done so.
  await sql`
    update podbase_private.failure_classes set backoff_base_ms = backoff_base_ms / ${SCALE}::int,
      backoff_cap_ms = backoff_cap_ms / ${SCALE}::int where backoff_cap_ms > 15000`;
  await sql`update cron.job set schedule = '1 second', active = true where jobname = 'podbase-tick'`;
}
