import type { Json } from "./json.ts";
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
  /** Jobs that one worker does at once (RunPod's `concurrency_modifier`). */
  jobsPerWorker: number;
  /** When further workers start: by how long jobs wait, or by how many there are. */
  scaler: "QUEUE_DELAY" | "REQUEST_COUNT";
  /** QUEUE_DELAY: a further worker starts once a job has waited this long. The first one starts at once. */
  queueDelayMs: number;
  /** REQUEST_COUNT: one worker for so many jobs, waiting or running. */
  requestCount: number;
  /** A worker that stopped less than `flashBootKeepMs` ago starts again in `flashBootMs`. */
  flashBoot: boolean;
  flashBootMs: Span;
  flashBootKeepMs: number;
  /** First wait before a crashed worker starts again; doubles up to 5 minutes, for 7 days. */
  restartMs: number;
  /** Whether the time from a worker's start until it is ready is billed. */
  billsColdStart: boolean;
  /** Whether an endpoint without jobs shrinks: `workersMax` 2 after 3 days, 0 after 7. */
  shrinksIdle: boolean;
  /** 429 on /run when more than 50 jobs and more than this many per `workersMax` wait. */
  queueCapPerWorker: number;
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
  /**
   * How long the platform waits for a silent worker before it re-dispatches the job. Real time where it waits for
   * the pings of a worker program.
   */
  lossMs: Span;
  /** A worker whose job was cancelled is stopped if its handler hasn't let go after this time. */
  stopGraceMs: number;
  /** How often a job is re-dispatched whose worker went silent, before it fails. */
  reDispatches: number;
  /** Where a re-dispatched job waits: behind all others, or before them. */
  reDispatchPlace: "back" | "front";
  /** What becomes of an input of `{}`: it reaches no handler and the job is lost, or it is an input like any other. */
  emptyInput: "lost" | "delivered";
  /** A ttl below 10 s, an execution timeout below 5 s: taken as they are, raised to that, or refused with 400. */
  shortPolicy: "taken" | "raised" | "refused";
  /** What /purge-queue makes of a job: gone, or CANCELLED. */
  purged: "gone" | "CANCELLED";
  /** The answer to /cancel of a finished job. 200 tells its state. */
  cancelFinishedStatus: number;
  /** The answer to /retry of a job that is neither FAILED nor TIMED_OUT. */
  retryRefusedStatus: number;
  /** Whether a job that ends without a result keeps its last progress as `output`. */
  keepsProgress: boolean;
  /** How long an end counts in /health. */
  healthWindowMs: number;
  /** What a result over the size limit does: the job ends without output, or never (until its time is over). */
  oversizeResult: "completed" | "stuck";
  /** What a progress does that arrives after the end: nothing, or IN_PROGRESS is shown for `regressMs`. */
  lateProgress: "ignored" | "regress";
  regressMs: number;
  /** Worker protocol: how long a call for work, or for jobs to stop, is held open. Real time. */
  workerPollMs: number;
}

/** RunPod's own defaults where documented, else what was observed (README, conformance table). */
export const ENDPOINT_DEFAULTS: EndpointSettings = {
  coldStartMs: [10_000, 75_000],
  pickupMs: [50, 2000],
  idleTimeoutMs: 5000,
  workersMin: 0,
  workersMax: 3,
  jobsPerWorker: 1,
  scaler: "QUEUE_DELAY",
  queueDelayMs: 4000,
  requestCount: 4,
  flashBoot: false,
  flashBootMs: [500, 3500],
  flashBootKeepMs: 3_600_000,
  restartMs: 10_000,
  billsColdStart: true,
  shrinksIdle: true,
  queueCapPerWorker: Number.POSITIVE_INFINITY,
  executionTimeoutMs: 600_000,
  timeoutLatenessMs: [2800, 11_800],
  timeoutState: "FAILED",
  ttlMs: 86_400_000,
  ttlEnd: "deleted",
  lossMs: [39_000, 46_000],
  stopGraceMs: 10_000,
  reDispatches: 1,
  reDispatchPlace: "back",
  emptyInput: "lost",
  shortPolicy: "taken",
  purged: "gone",
  cancelFinishedStatus: 200,
  retryRefusedStatus: 400,
  keepsProgress: false,
  healthWindowMs: Number.POSITIVE_INFINITY,
  oversizeResult: "completed",
  lateProgress: "ignored",
  regressMs: 5000,
  workerPollMs: 20_000,
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
    /** How long a receiver may take, in real time. RunPod's own limit is not known. */
    timeoutMs: number;
    /** What a redirect does: it is a failed attempt, or followed as Go's HTTP client does it, up to 10 times. */
    redirects: "failed" | "followed";
    /** Waits before the second and each further attempt. */
    retryDelaysMs: readonly number[];
    /** States that are told. RunPod is known to tell of COMPLETED and FAILED only. */
    states: readonly ("COMPLETED" | "FAILED" | "CANCELLED" | "TIMED_OUT")[];
  };
  /** Largest bodies in bytes: of /run and its results, of /runsync and its results, of a stream's chunk. */
  largest: { run: number; runsync: number; chunk: number };
  /** What ids end with: RunPod was seen to give `u1`, `u2`, `e1`, `e2`. */
  region: string;
  /** Sent as Retry-After with a 429 of a rate limit or a full queue. */
  retryAfterSeconds: number | undefined;
  /** The body of an answer that refuses, where RunPod's own is not known. */
  errorBody: (status: number, message: string) => Json;
  /** By operation; others have none (RunPod docs, send-requests). */
  rateLimits: Readonly<Record<string, RateLimit>>;
}

/** How many calls of one operation an endpoint takes. 0: no limit. */
export interface RateLimit {
  per10s: number;
  /** Calls under way at once. With more than one running worker this many per 10 s for each of them. */
  concurrent: number;
}

/** See {@link ENDPOINT_DEFAULTS}. */
export const PLATFORM_DEFAULTS: PlatformSettings = {
  retention: { runMs: 30 * 60_000, runsyncMs: 60_000 },
  webhook: {
    timeoutMs: 10_000,
    redirects: "failed",
    retryDelaysMs: [5000, 15_000],
    states: ["COMPLETED", "FAILED"],
  },
  largest: { run: 10 * 1024 ** 2, runsync: 20 * 1024 ** 2, chunk: 1024 ** 2 },
  region: "u1",
  retryAfterSeconds: undefined,
  errorBody: (_status, message) => ({ error: message }),
  rateLimits: {
    run: { per10s: 1000, concurrent: 200 },
    runsync: { per10s: 2000, concurrent: 400 },
    status: { per10s: 2000, concurrent: 400 },
    "status-sync": { per10s: 2000, concurrent: 400 },
    stream: { per10s: 2000, concurrent: 400 },
    cancel: { per10s: 100, concurrent: 20 },
    "purge-queue": { per10s: 2, concurrent: 0 },
    requests: { per10s: 10, concurrent: 2 },
  },
};

/** Shortest ttl and execution timeout that the documentation allows. */
export const SHORTEST_POLICY_MS = { ttl: 10_000, executionTimeout: 5000 } as const;

/** Longest ttl and execution timeout: 7 days. */
export const LONGEST_POLICY_MS = 7 * 86_400_000;

const isCount = (value: number) => Number.isInteger(value) && value >= 0;

const isSpan = (span: Span) =>
  typeof span === "number" ? span >= 0 : span.every((end) => isCount(end)) && span[0] <= span[1];

const SPANS = ["coldStartMs", "pickupMs", "timeoutLatenessMs", "lossMs", "flashBootMs"] as const;

const AMOUNTS = [
  "idleTimeoutMs",
  "queueDelayMs",
  "executionTimeoutMs",
  "ttlMs",
  "stopGraceMs",
  "flashBootKeepMs",
  "queueCapPerWorker",
  "regressMs",
  "healthWindowMs",
] as const;

const COUNTS = ["workersMin", "workersMax", "jobsPerWorker", "requestCount", "reDispatches"] as const;

const POSITIVE = ["restartMs", "workerPollMs"] as const;

/** Fills in the defaults. Throws a RangeError that names the endpoint and the setting. */
export const endpointSettings = (id: string, given: Partial<EndpointSettings>): EndpointSettings => {
  const settings = { ...ENDPOINT_DEFAULTS, ...given };
  const refuse = (name: keyof EndpointSettings, must: string) => {
    throw new RangeError(`endpoint "${id}": ${name} must be ${must}, got ${String(settings[name])}`);
  };
  if (!/^[A-Za-z0-9_-]+$/.test(id)) throw new RangeError(`"${id}" is not a usable endpoint id`);
  for (const name of SPANS) {
    if (!isSpan(settings[name])) refuse(name, "milliseconds, or a range [from, to] of whole ones");
  }
  for (const name of AMOUNTS) if (!(settings[name] >= 0)) refuse(name, "0 or more");
  for (const name of POSITIVE) if (!(settings[name] > 0)) refuse(name, "above 0");
  for (const name of COUNTS) {
    if (!isCount(settings[name])) refuse(name, "a whole number");
  }
  for (const name of ["jobsPerWorker", "requestCount"] as const) {
    if (settings[name] === 0) refuse(name, "at least 1");
  }
  if (settings.workersMin > settings.workersMax) refuse("workersMin", "at most workersMax");
  return settings;
};
