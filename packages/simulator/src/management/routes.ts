import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { gpuCatalog } from "./gpus.ts";
import type { Management } from "./management.ts";
import { Problem, readBody } from "./problem.ts";
import {
  createEndpointBody,
  createTemplateBody,
  createVolumeBody,
  updateEndpointBody,
  updateTemplateBody,
  updateVolumeBody,
} from "./schemas.ts";

/**
 * The management API over HTTP, for a path of its own in place of `https://api.runpod.io`. What RunPod has and the
 * simulator lacks answers 501.
 */
export const managementRoutes = (
  management: Management,
  isAuthorized: (authorization: string | undefined) => boolean,
): Hono => {
  const app = new Hono();
  const jobApiOf = (request: Request) => `${new URL(request.url).origin}/v2`;

  app.use(async (context, next) => {
    if (!isAuthorized(context.req.header("authorization"))) throw new Problem(401, "unauthorized");
    await next();
  });

  app.get("/serverless", ({ req, json }) => json({ endpoints: management.listEndpoints(jobApiOf(req.raw)) }));
  app.post("/serverless", async ({ req, json }) => {
    const body = await readBody(req.raw, createEndpointBody);
    return json(management.createEndpoint(body, jobApiOf(req.raw)), 201);
  });
  app.get("/serverless/:id", ({ req, json }) =>
    json(management.getEndpoint(req.param("id"), jobApiOf(req.raw))),
  );
  app.patch("/serverless/:id", async ({ req, json }) => {
    const body = await readBody(req.raw, updateEndpointBody);
    return json(management.updateEndpoint(req.param("id"), body, jobApiOf(req.raw)));
  });
  app.delete("/serverless/:id", ({ req, body }) => {
    management.deleteEndpoint(req.param("id"));
    return body(null, 204);
  });
  app.get("/serverless/:id/workers", ({ req, json }) => json(management.listWorkers(req.param("id"))));

  app.get("/templates", ({ json }) => json({ templates: management.listTemplates() }));
  app.post("/templates", async ({ req, json }) =>
    json(management.createTemplate(await readBody(req.raw, createTemplateBody)), 201),
  );
  app.get("/templates/:id", ({ req, json }) => json(management.getTemplate(req.param("id"))));
  app.patch("/templates/:id", async ({ req, json }) =>
    json(management.updateTemplate(req.param("id"), await readBody(req.raw, updateTemplateBody))),
  );
  app.delete("/templates/:id", ({ req, body }) => {
    management.deleteTemplate(req.param("id"));
    return body(null, 204);
  });

  app.get("/network-volumes", ({ json }) => json({ networkVolumes: management.listVolumes() }));
  app.post("/network-volumes", async ({ req, json }) =>
    json(management.createVolume(await readBody(req.raw, createVolumeBody)), 201),
  );
  app.get("/network-volumes/:id", ({ req, json }) => json(management.getVolume(req.param("id"))));
  app.patch("/network-volumes/:id", async ({ req, json }) =>
    json(management.updateVolume(req.param("id"), await readBody(req.raw, updateVolumeBody))),
  );
  app.delete("/network-volumes/:id", ({ req, body }) => {
    management.deleteVolume(req.param("id"));
    return body(null, 204);
  });

  app.get("/catalog/gpus", ({ req, json }) => {
    const withAvailability = req.query("include") === "AVAILABILITY";
    if (withAvailability !== (req.query("product") !== undefined)) {
      throw new Problem(400, "include=AVAILABILITY and product go together");
    }
    return json({ gpus: gpuCatalog({ withAvailability }) });
  });
  app.get("/billing/serverless", ({ req, json }) => json(management.billing(new URL(req.url).searchParams)));

  app.all("/*", ({ req }) => {
    throw new Problem(501, `not implemented by the simulator: ${req.method} ${req.path}`);
  });
  app.onError((error, { json }) => {
    if (!(error instanceof Problem)) throw error;
    return json(error.toJSON(), error.status as ContentfulStatusCode, {
      "content-type": "application/problem+json",
    });
  });
  return app;
};
