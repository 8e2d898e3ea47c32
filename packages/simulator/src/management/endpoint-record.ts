import type { z } from "zod";
import type { Endpoint } from "../core/endpoint.ts";
import { ENDPOINT_DEFAULTS, type EndpointSettings } from "../core/settings.ts";
import { gpuTypeOf, workerPrice } from "./gpus.ts";
import type { createEndpointBody, updateEndpointBody } from "./schemas.ts";

type Create = z.infer<typeof createEndpointBody>;
type Update = z.infer<typeof updateEndpointBody>;

/** What the management API knows of an endpoint besides what the endpoint itself does. */
export interface EndpointRecord {
  name: string;
  image: string;
  args: string;
  disk: number;
  env: Record<string, string>;
  ports: string[];
  registry: string | null;
  gpu: {
    pools: string[];
    count: number;
    excludedTypes: string[];
    allowedCudaVersions: string[];
    minCudaVersion: string | null;
  };
  dataCenterIds: string[];
  networkVolumes: string[];
  /** As given, in milliseconds; 0 where nothing was, as the live API was seen to tell. */
  timeout: number;
  flashboot: "OFF" | "FLASHBOOT" | "PRIORITY_FLASHBOOT";
  createdAt: number;
}

const DEFAULT_WORKERS = { min: 0, max: 3, idleTimeout: 10 };
const DEFAULT_DISK_GB = 5;
const DATA_CENTER = "EU-RO-1";

/** The record of an endpoint that nobody created through the API. */
export const recordOf = (name: string, image: string, createdAt: number): EndpointRecord => ({
  name,
  image,
  args: "",
  disk: DEFAULT_DISK_GB,
  env: {},
  ports: [],
  registry: null,
  gpu: { pools: ["AMPERE_16"], count: 1, excludedTypes: [], allowedCudaVersions: [], minCudaVersion: null },
  dataCenterIds: [],
  networkVolumes: [],
  timeout: 0,
  flashboot: "OFF",
  createdAt,
});

const FIELDS = [
  "name",
  "image",
  "args",
  "disk",
  "env",
  "ports",
  "registry",
  "dataCenterIds",
  "networkVolumes",
  "timeout",
  "flashboot",
] as const;

const GPU_FIELDS = ["pools", "count", "excludedTypes", "allowedCudaVersions"] as const;

/** Takes over what a request names. */
export const updateRecord = (record: EndpointRecord, { gpu = {}, ...body }: Create | Update): void => {
  for (const name of FIELDS) if (body[name] !== undefined) Object.assign(record, { [name]: body[name] });
  for (const name of GPU_FIELDS)
    if (gpu[name] !== undefined) Object.assign(record.gpu, { [name]: gpu[name] });
  // An empty text takes the minimum away.
  if (gpu.minCudaVersion !== undefined) record.gpu.minCudaVersion = gpu.minCudaVersion || null;
};

/** The settings that a request names, for the endpoint to follow at once. A timeout of 0 is none: the default. */
export const settingsOf = ({
  workers = {},
  scaling,
  timeout,
  flashboot,
}: Update): Partial<EndpointSettings> => ({
  ...(workers.min !== undefined && { workersMin: workers.min }),
  ...(workers.max !== undefined && { workersMax: workers.max }),
  ...(workers.idleTimeout !== undefined && { idleTimeoutMs: workers.idleTimeout * 1000 }),
  ...(scaling?.type === "QUEUE_DELAY" && { scaler: scaling.type, queueDelayMs: scaling.queueDelay * 1000 }),
  ...(scaling?.type === "REQUEST_COUNT" && { scaler: scaling.type, requestCount: scaling.requestCount }),
  ...(timeout !== undefined && { executionTimeoutMs: timeout || ENDPOINT_DEFAULTS.executionTimeoutMs }),
  ...(flashboot !== undefined && { flashBoot: flashboot !== "OFF" }),
});

/** The settings of a new endpoint, defaults of the API included. */
export const newSettingsOf = ({ workers, timeout, ...body }: Create): Partial<EndpointSettings> =>
  settingsOf({ ...body, timeout: timeout || undefined, workers: { ...DEFAULT_WORKERS, ...workers } });

/** The endpoint as the API tells it. */
export const endpointView = (endpoint: Endpoint, record: EndpointRecord, jobApiUrl: string) => {
  const { id, settings } = endpoint;
  const { createdAt, ...told } = record;
  const isByDelay = settings.scaler === "QUEUE_DELAY";
  const url = (operation: string) => `${jobApiUrl}/${id}/${operation}`;
  return {
    id,
    ...told,
    type: "QUEUE",
    requestUrls: {
      run: url("run"),
      runSync: url("runsync"),
      status: url("status"),
      stream: url("stream"),
      cancel: url("cancel"),
      retry: url("retry"),
      purgeQueue: url("purge-queue"),
      health: url("health"),
    },
    workers: {
      min: settings.workersMin,
      max: settings.workersMax,
      ...(isByDelay && { idleTimeout: settings.idleTimeoutMs / 1000 }),
    },
    scaling: isByDelay
      ? { type: "QUEUE_DELAY", queueDelay: settings.queueDelayMs / 1000 }
      : { type: "REQUEST_COUNT", requestCount: settings.requestCount },
    createdAt: new Date(createdAt).toISOString(),
  };
};

const WORKER_STATUS = {
  stopped: "IDLE",
  idle: "IDLE",
  taking: "IDLE",
  running: "RUNNING",
  initializing: "INITIALIZING",
  throttled: "THROTTLED",
  unhealthy: "UNHEALTHY",
} as const;

/** The endpoint's workers as the API tells them: no `ready`, unlike /health. */
export const workersView = (endpoint: Endpoint, { gpu, image }: EndpointRecord, now: number) => {
  const { workers } = endpoint.fleet;
  const [pool = ""] = gpu.pools;
  const list = workers.all().map(({ id, state, startedAt }) => {
    const isPlaced = startedAt !== undefined && state !== "throttled" && state !== "stopped";
    return {
      id,
      status: WORKER_STATUS[state],
      isStale: false,
      version: 1,
      gpuCount: gpu.count,
      image,
      uptimeSeconds: isPlaced ? Math.floor((now - startedAt) / 1000) : null,
      gpuTypeId: isPlaced ? (gpuTypeOf(pool) ?? null) : null,
      dataCenterId: isPlaced ? DATA_CENTER : null,
      startedAt: startedAt === undefined ? null : new Date(startedAt).toISOString(),
    };
  });
  const summary = { running: 0, idle: 0, initializing: 0, throttled: 0, unhealthy: 0, total: list.length };
  for (const { status } of list) summary[status.toLowerCase() as keyof typeof summary]++;
  return { workers: list, summary, endpointVersion: 1 };
};

/** What a worker of this endpoint costs, in USD a second: that of its first pool. */
export const priceOf = ({ gpu }: EndpointRecord): number => workerPrice(gpu.pools[0] ?? "", gpu.count);
