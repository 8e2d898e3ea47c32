import type { Endpoint } from "../core/endpoint.ts";
import { type JsonObject, sorted } from "../core/json.ts";

/**
 * The body of GET /health. A scaled-down worker counts as idle, and every idle one as ready too, as RunPod was
 * seen to tell it (runpod/runpod-plugins-official, golden path 15): the counters must not be summed.
 */
export const healthOf = (endpoint: Endpoint): JsonObject => ({
  jobs: sorted({ ...endpoint.counts() }),
  workers: workerCounts(endpoint),
});

/** The body of GET /metrics, as far as runpod/flash reads it (core/resources/request_logs.py). */
export const metricsOf = (endpoint: Endpoint): JsonObject => {
  const { workers } = endpoint.fleet;
  const ready = [...workers.in("idle"), ...workers.in("taking"), ...workers.in("running")];
  return { readyWorkers: ready.map(({ id }) => id), workers: workerCounts(endpoint) };
};

const workerCounts = ({ fleet }: Endpoint) => {
  const idle = fleet.workers.count("stopped", "idle", "taking");
  return {
    idle,
    initializing: fleet.workers.count("initializing"),
    ready: idle,
    running: fleet.workers.count("running"),
    throttled: fleet.workers.count("throttled"),
    unhealthy: fleet.workers.count("unhealthy"),
  };
};
