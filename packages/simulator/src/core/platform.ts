import { type CreateFleet, Endpoint } from "./endpoint.ts";
import type { Job } from "./job.ts";
import type { Random } from "./random.ts";
import type { EndpointSettings } from "./settings.ts";
import type { Submission } from "./submission.ts";
import { Webhooks } from "./webhooks.ts";
import type { World } from "./world.ts";

/** What an endpoint is made of. */
export interface EndpointPlan {
  settings: EndpointSettings;
  fleet: CreateFleet;
}

/** RunPod's side of things: all endpoints, without HTTP and without knowing how work is done. */
export class Platform {
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #ids: Random;
  readonly #world: World;
  readonly #webhooks: Webhooks;

  /** `kept` are the jobs of an earlier process, oldest first. */
  constructor(world: World, endpoints: Record<string, EndpointPlan>, kept: readonly Job[]) {
    this.#world = world;
    this.#ids = world.random.stream("ids");
    this.#webhooks = new Webhooks(world, (job) => this.#endpoints.get(job.endpoint)?.job(job.id) === job);
    for (const [id, plan] of Object.entries(endpoints)) this.#add(id, plan);
    for (const job of kept) {
      if (this.#endpoints.has(job.endpoint)) continue;
      world.store.remove(job);
      world.history.add({
        type: "removed",
        endpoint: job.endpoint,
        job: job.id,
        reason: "unknown_endpoint",
      });
    }
    for (const endpoint of this.#endpoints.values()) {
      endpoint.restore(kept.filter((job) => job.endpoint === endpoint.id));
      endpoint.fleet.check();
    }
  }

  endpoint(id: string): Endpoint | undefined {
    return this.#endpoints.get(id);
  }

  endpoints(): Endpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Adds an endpoint, whose workers start as they would at the simulator's start. */
  create(id: string, plan: EndpointPlan): Endpoint {
    const endpoint = this.#add(id, plan);
    endpoint.fleet.check();
    return endpoint;
  }

  /** Cancels the endpoint's jobs and forgets it. */
  remove(endpoint: Endpoint): void {
    endpoint.close();
    this.#endpoints.delete(endpoint.id);
  }

  /** Undefined: the endpoint's queue is full. */
  submit(endpoint: Endpoint, submission: Submission): Job | undefined {
    return endpoint.submit(submission, this.#ids.uuid());
  }

  #add(id: string, { settings, fleet }: EndpointPlan): Endpoint {
    const endpoint = new Endpoint(id, settings, fleet, this.#world, this.#webhooks);
    this.#endpoints.set(id, endpoint);
    return endpoint;
  }
}
