import type { Span } from "./random.ts";

/** How one endpoint behaves. Times in milliseconds of the simulator's clock; sources in the package's README. */
export interface EndpointSettings {
  /** From the decision to start a worker until it asks for work. */
  coldStartMs: Span;
  /** From a worker being free until it has the next job. */
  pickupMs: Span;
  /** How long a worker stays warm without work. */
  idleTimeoutMs: number;
  /** Workers that never stop. */
  workersMin: number;
  workersMax: number;
  /** A further worker starts once a job has waited this long. The first one starts at once. */
  queueDelayMs: number;
  /** For jobs whose policy names none. */
  executionTimeoutMs: number;
  /** How much later than its limit the execution timeout strikes. */
  timeoutLatenessMs: Span;
  /** State of a job that ran too long. */
  timeoutState: "FAILED" | "TIMED_OUT";
  /** Time to live of jobs whose policy names none. */
  ttlMs: number;
  /** What the end of the time to live does to an unfinished job. */
  ttlEnd: "deleted" | "TIMED_OUT";
  /** How long the platform waits for a silent worker before it re-dispatches the job. */
  lossMs: Span;
  /** A worker whose job was cancelled is stopped if its handler hasn't let go after this time. */
  stopGraceMs: number;
}

/** RunPod's own defaults where documented, else what was observed (README, conformance table). */
export const ENDPOINT_DEFAULTS: EndpointSettings = {
  coldStartMs: [10_000, 75_000],
  pickupMs: [50, 2000],
  idleTimeoutMs: 5000,
  workersMin: 0,
  workersMax: 3,
  queueDelayMs: 4000,
  executionTimeoutMs: 600_000,
  timeoutLatenessMs: [2800, 11_800],
  timeoutState: "FAILED",
  ttlMs: 86_400_000,
  ttlEnd: "deleted",
  lossMs: [39_000, 46_000],
  stopGraceMs: 10_000,
};

/** The part of the settings that all endpoints share. */
export interface PlatformSettings {
  retention: {
    /** How long a finished /run job is kept. */
    runMs: number;
    /** How long a finished /runsync job is kept. */
    runsyncMs: number;
  };
  webhook: {
    /** How long a receiver may take. RunPod's own limit is not known. */
    timeoutMs: number;
    /** Waits before the second and each further attempt. */
    retryDelaysMs: readonly number[];
    /** States that are told. RunPod is known to tell of COMPLETED and FAILED only. */
    states: readonly ("COMPLETED" | "FAILED" | "CANCELLED" | "TIMED_OUT")[];
  };
}

/** See {@link ENDPOINT_DEFAULTS}. */
export const PLATFORM_DEFAULTS: PlatformSettings = {
  retention: { runMs: 30 * 60_000, runsyncMs: 60_000 },
  webhook: { timeoutMs: 10_000, retryDelaysMs: [5000, 15_000], states: ["COMPLETED", "FAILED"] },
};

/** Largest bodies and results: /run and /runsync. */
export const LARGEST_BYTES = { run: 10 * 1024 ** 2, runsync: 20 * 1024 ** 2 } as const;

/** Longest ttl and execution timeout: 7 days. */
export const LONGEST_POLICY_MS = 7 * 86_400_000;

const isCount = (value: number) => Number.isInteger(value) && value >= 0;

const isSpan = (span: Span) =>
  typeof span === "number" ? span >= 0 : span.every((end) => isCount(end)) && span[0] <= span[1];

/** Fills in the defaults. Throws a RangeError that names the endpoint and the setting. */
export const endpointSettings = (id: string, given: Partial<EndpointSettings>): EndpointSettings => {
  const settings = { ...ENDPOINT_DEFAULTS, ...given };
  const refuse = (name: keyof EndpointSettings, must: string) => {
    throw new RangeError(`endpoint "${id}": ${name} must be ${must}, got ${String(settings[name])}`);
  };
  if (!/^[A-Za-z0-9_-]+$/.test(id)) throw new RangeError(`"${id}" is not a usable endpoint id`);
  for (const name of ["coldStartMs", "pickupMs", "timeoutLatenessMs", "lossMs"] as const) {
    if (!isSpan(settings[name])) refuse(name, "milliseconds, or a range [from, to] of whole ones");
  }
  for (const name of [
    "idleTimeoutMs",
    "queueDelayMs",
    "executionTimeoutMs",
    "ttlMs",
    "stopGraceMs",
  ] as const) {
    if (!(settings[name] >= 0)) refuse(name, "0 or more");
  }
  for (const name of ["workersMin", "workersMax"] as const) {
    if (!isCount(settings[name])) refuse(name, "a whole number");
  }
  if (settings.workersMin > settings.workersMax) refuse("workersMin", "at most workersMax");
  return settings;
};
