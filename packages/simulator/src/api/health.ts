import type { Endpoint } from "../core/endpoint.ts";
import type { JsonObject } from "../core/json.ts";

/**
 * The body of GET /health. A scaled-down worker counts as idle, and every idle one as ready too, as RunPod was
 * seen to tell it (runpod/runpod-plugins-official, golden path 15): the counters must not be summed.
 */
export const healthOf = (endpoint: Endpoint): JsonObject => {
  const { pool } = endpoint;
  const idle = pool.count("stopped", "idle", "taking");
  return {
    jobs: { ...endpoint.counts() },
    workers: {
      idle,
      initializing: pool.count("initializing"),
      ready: idle,
      running: pool.count("running"),
      throttled: 0,
      unhealthy: 0,
    },
  };
};
