import type { z } from "zod";
import type { Endpoint } from "../core/endpoint.ts";
import type { EndpointPlan, Platform } from "../core/platform.ts";
import type { EndpointSettings } from "../core/settings.ts";
import type { World } from "../core/world.ts";
import { type Account, serverlessBilling } from "./billing.ts";
import {
  type EndpointRecord,
  endpointView,
  newSettingsOf,
  priceOf,
  recordOf,
  settingsOf,
  updateRecord,
  workersView,
} from "./endpoint-record.ts";
import { Problem } from "./problem.ts";
import type {
  createEndpointBody,
  createTemplateBody,
  createVolumeBody,
  updateEndpointBody,
  updateTemplateBody,
  updateVolumeBody,
} from "./schemas.ts";

const ENDPOINT_ID_LENGTH = 14;
const RESOURCE_ID_LENGTH = 10;

type Template = { id: string; image: string } & Record<string, unknown>;
type Volume = { id: string } & Record<string, unknown>;

const TEMPLATE_DEFAULTS = {
  args: "",
  disk: 5,
  env: {},
  mounts: {},
  ports: [],
  registry: null,
  serverless: false,
  public: false,
  category: "NVIDIA",
  startSsh: true,
  startJupyter: true,
  allowedCudaVersions: [],
};

const IDLE_TIMEOUT_NEEDS_DELAY = "$.workers.idleTimeout: is not for REQUEST_COUNT scaling";

/** Makes an endpoint's plan from the image that a request names. */
export type PlanImage = (image: string, id: string, settings: Partial<EndpointSettings>) => EndpointPlan;

/** RunPod's management API v2 (`api.runpod.io/v2`), the part that concerns Serverless, without HTTP. */
export class Management {
  readonly #platform: Platform;
  readonly #world: World;
  readonly #plan: PlanImage;
  readonly #records = new Map<string, EndpointRecord>();
  /** Of deleted endpoints too: their bill remains. */
  readonly #accounts = new Map<string, Account>();
  readonly #templates = new Map<string, Template>();
  readonly #volumes = new Map<string, Volume>();
  readonly #ids;

  constructor(platform: Platform, world: World, plan: PlanImage) {
    this.#platform = platform;
    this.#world = world;
    this.#plan = plan;
    this.#ids = world.random.stream("management");
    for (const endpoint of platform.endpoints()) {
      const record = recordOf(endpoint.id, "simulator", world.clock.now());
      this.#enter(endpoint, record);
    }
  }

  listEndpoints(jobApiUrl: string) {
    return this.#platform.endpoints().map((endpoint) => this.#view(endpoint, jobApiUrl));
  }

  createEndpoint(body: z.infer<typeof createEndpointBody>, jobApiUrl: string) {
    const image = body.image ?? this.#template(body.templateId).image;
    const id = this.#ids.name(ENDPOINT_ID_LENGTH);
    const record = recordOf(body.name, image, this.#world.clock.now());
    updateRecord(record, body);
    const plan = inRange(() => this.#plan(image, id, newSettingsOf(body)));
    const endpoint = this.#platform.create(id, plan);
    this.#enter(endpoint, record);
    return this.#view(endpoint, jobApiUrl);
  }

  getEndpoint(id: string, jobApiUrl: string) {
    return this.#view(this.#endpoint(id), jobApiUrl);
  }

  updateEndpoint(id: string, body: z.infer<typeof updateEndpointBody>, jobApiUrl: string) {
    const endpoint = this.#endpoint(id);
    const record = this.#record(endpoint);
    const image = body.templateId ? this.#template(body.templateId).image : body.image;
    if (image !== undefined && image !== record.image) {
      throw new Problem(501, "not implemented by the simulator: another image for an endpoint that exists");
    }
    const scaler = body.scaling?.type ?? endpoint.settings.scaler;
    if (scaler === "REQUEST_COUNT" && body.workers?.idleTimeout !== undefined) {
      throw new Problem(422, "the request body is not valid", [IDLE_TIMEOUT_NEEDS_DELAY]);
    }
    inRange(() => endpoint.configure(settingsOf(body)));
    updateRecord(record, body);
    return this.#view(endpoint, jobApiUrl);
  }

  /** Its queued and running jobs are cancelled. */
  deleteEndpoint(id: string): void {
    this.#platform.remove(this.#endpoint(id));
    this.#records.delete(id);
  }

  listWorkers(id: string) {
    const endpoint = this.#endpoint(id);
    return workersView(endpoint, this.#record(endpoint), this.#world.clock.now());
  }

  listTemplates(): Template[] {
    return [...this.#templates.values()];
  }

  createTemplate(body: z.infer<typeof createTemplateBody>): Template {
    const template = { ...TEMPLATE_DEFAULTS, ...body, id: this.#ids.name(RESOURCE_ID_LENGTH) };
    this.#templates.set(template.id, template);
    return template;
  }

  getTemplate(id: string): Template {
    return this.#template(id);
  }

  updateTemplate(id: string, body: z.infer<typeof updateTemplateBody>): Template {
    return Object.assign(this.#template(id), body);
  }

  deleteTemplate(id: string): void {
    this.#templates.delete(this.#template(id).id);
  }

  listVolumes(): Volume[] {
    return [...this.#volumes.values()];
  }

  createVolume(body: z.infer<typeof createVolumeBody>): Volume {
    const volume = { type: "STANDARD", ...body, id: this.#ids.name(RESOURCE_ID_LENGTH) };
    this.#volumes.set(volume.id, volume);
    return volume;
  }

  getVolume(id: string): Volume {
    return found(this.#volumes.get(id), "network volume");
  }

  updateVolume(id: string, body: z.infer<typeof updateVolumeBody>): Volume {
    return Object.assign(this.getVolume(id), body);
  }

  deleteVolume(id: string): void {
    this.#volumes.delete(this.getVolume(id).id);
  }

  billing(query: URLSearchParams) {
    return serverlessBilling([...this.#accounts.values()], query, this.#world.clock.now());
  }

  #enter(endpoint: Endpoint, record: EndpointRecord): void {
    const { id, fleet, settings } = endpoint;
    // As it may be by the simulator's own options.
    if (settings.flashBoot && record.flashboot === "OFF") record.flashboot = "FLASHBOOT";
    this.#records.set(id, record);
    this.#accounts.set(id, { id, usage: fleet.workers.usage, price: () => priceOf(record) });
  }

  #view(endpoint: Endpoint, jobApiUrl: string) {
    return endpointView(endpoint, this.#record(endpoint), jobApiUrl);
  }

  #endpoint(id: string): Endpoint {
    return found(this.#platform.endpoint(id), "endpoint");
  }

  #record(endpoint: Endpoint): EndpointRecord {
    return found(this.#records.get(endpoint.id), "endpoint");
  }

  #template(id = ""): Template {
    return found(this.#templates.get(id), "template");
  }
}

const found = <Thing>(thing: Thing | undefined, what: string): Thing => {
  if (thing === undefined) throw new Problem(404, `${what} not found`);
  return thing;
};

/** Settings that fit the schema but not each other, as more workers at least than at most. */
const inRange = <Result>(change: () => Result): Result => {
  try {
    return change();
  } catch (error) {
    if (error instanceof RangeError) throw new Problem(422, error.message);
    throw error;
  }
};
