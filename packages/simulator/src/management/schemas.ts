import { z } from "zod";
import { POOLS } from "./gpus.ts";

const container = {
  args: z.string().optional(),
  disk: z.int().min(1).optional(),
  env: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string()).optional(),
  registry: z.string().nullable().optional(),
};

const cudaVersion = z.string().regex(/^\d+\.\d+$/);

const gpu = {
  excludedTypes: z.array(z.string()).optional(),
  count: z.int().min(1).optional(),
  allowedCudaVersions: z.array(cudaVersion).optional(),
  minCudaVersion: cudaVersion.or(z.literal("")).optional(),
};

const pools = z.array(z.enum(POOLS)).min(1);

const scaling = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("QUEUE_DELAY"), queueDelay: z.number().min(0.5) }),
  z.strictObject({ type: z.literal("REQUEST_COUNT"), requestCount: z.int().min(1) }),
]);

const workers = z.strictObject({
  min: z.int().min(0).optional(),
  max: z.int().min(0).optional(),
  idleTimeout: z.int().min(1).max(3600).optional(),
});

const endpoint = {
  ...container,
  name: z.string().min(1),
  dataCenterIds: z.array(z.string()).optional(),
  flashboot: z.enum(["OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT"]).optional(),
  networkVolumes: z.array(z.string()).optional(),
  timeout: z.int().min(0).optional(),
  workers: workers.optional(),
};

/** POST /v2/serverless, as far as it can be carried out here: queue endpoints on GPUs. */
export const createEndpointBody = z
  .strictObject({
    ...endpoint,
    type: z.literal("QUEUE", "only QUEUE endpoints are simulated"),
    scaling,
    gpu: z.strictObject({ ...gpu, pools }),
    image: z.string().optional(),
    templateId: z.string().min(1).optional(),
  })
  .refine(({ image, templateId }) => image !== undefined || templateId !== undefined, {
    path: ["image"],
    message: "image or templateId is required",
  })
  // Observed of the live API, though its schema does not say so.
  .refine(
    ({ scaling: { type }, workers: { idleTimeout } = {} }) => type !== "REQUEST_COUNT" || !idleTimeout,
    {
      path: ["workers", "idleTimeout"],
      message: "is not for REQUEST_COUNT scaling",
    },
  );

/** PATCH /v2/serverless/{id}. Whether an idle timeout fits the scaler depends on the endpoint as it stands. */
export const updateEndpointBody = z.strictObject({
  ...endpoint,
  name: endpoint.name.optional(),
  scaling: scaling.optional(),
  gpu: z.strictObject({ ...gpu, pools: pools.optional() }).optional(),
  image: z.string().optional(),
  templateId: z.string().optional(),
});

const template = {
  ...container,
  allowedCudaVersions: z.array(cudaVersion).optional(),
  category: z.enum(["CPU", "NVIDIA", "AMD"]).optional(),
  mounts: z.strictObject({ persistent: z.json().optional() }).optional(),
  public: z.boolean().optional(),
  serverless: z.boolean().optional(),
  startJupyter: z.boolean().optional(),
  startSsh: z.boolean().optional(),
};

/** POST /v2/templates. */
export const createTemplateBody = z.strictObject({
  ...template,
  name: z.string().min(1),
  image: z.string(),
});

/** PATCH /v2/templates/{id}. */
export const updateTemplateBody = z.strictObject({
  ...template,
  name: z.string().min(1).optional(),
  image: z.string().optional(),
});

const size = z.int().min(10).max(4096);

/** POST /v2/network-volumes. */
export const createVolumeBody = z.strictObject({
  name: z.string().min(1),
  size,
  dataCenter: z.string().min(1),
  type: z.enum(["STANDARD", "HIGH_PERFORMANCE"]).optional(),
});

/** PATCH /v2/network-volumes/{id}. */
export const updateVolumeBody = z
  .strictObject({ name: z.string().min(1).optional(), size: size.optional() })
  .refine((body) => Object.keys(body).length > 0, "at least one property is required");
