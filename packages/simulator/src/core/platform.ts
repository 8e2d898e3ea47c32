import { Endpoint } from "./endpoint.ts";
import type { Job } from "./job.ts";
import type { Random } from "./random.ts";
import type { EndpointSettings } from "./settings.ts";
import type { Submission } from "./submission.ts";
import { Webhooks } from "./webhooks.ts";
import type { Execute, World } from "./world.ts";

/** RunPod's side of things: all endpoints, without HTTP and without knowing how work is done. */
export class Platform {
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #ids: Random;

  /** `kept` are the jobs of an earlier process, oldest first. */
  constructor(
    world: World,
    endpoints: Record<string, { settings: EndpointSettings; execute: Execute }>,
    kept: readonly Job[],
  ) {
    this.#ids = world.random.stream("ids");
    const webhooks = new Webhooks(world, (job) => this.#endpoints.get(job.endpoint)?.job(job.id) === job);
    this.#endpoints = new Map(
      Object.entries(endpoints).map(([id, { settings, execute }]) => [
        id,
        new Endpoint(id, settings, execute, world, webhooks),
      ]),
    );
    for (const job of kept) {
      const endpoint = this.#endpoints.get(job.endpoint);
      if (endpoint) {
        endpoint.restore(job);
      } else {
        world.store.remove(job);
        world.history.add({
          type: "removed",
          endpoint: job.endpoint,
          job: job.id,
          reason: "unknown_endpoint",
        });
      }
    }
    for (const endpoint of this.#endpoints.values()) endpoint.pool.check();
  }

  endpoint(id: string): Endpoint | undefined {
    return this.#endpoints.get(id);
  }

  endpoints(): Endpoint[] {
    return [...this.#endpoints.values()];
  }

  submit(endpoint: Endpoint, submission: Submission): Job {
    return endpoint.submit(submission, this.#ids.uuid());
  }
}
