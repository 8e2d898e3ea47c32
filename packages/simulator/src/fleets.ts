import type { CreateFleet } from "./core/endpoint.ts";
import { RemoteWorkers } from "./core/remote-workers.ts";
import { WorkerPool } from "./core/worker-pool.ts";
import type { World } from "./core/world.ts";
import type { Executor } from "./handlers/executor.ts";
import type { Handler } from "./handlers/handler.ts";

/** How an endpoint with this handler gets its workers: simulated ones, or programs of your own. */
export const createFleetOf = (
  world: World,
  executor: Executor,
  handler: Handler<never> | "worker",
  aggregates = false,
): CreateFleet => {
  if (handler === "worker") {
    return (id, settings, queue, take) => new RemoteWorkers(world, id, settings, queue, take);
  }
  const execute = executor.executeWith(handler, aggregates);
  return (id, settings, queue, take) => new WorkerPool(world, id, settings, queue, { take, execute });
};
