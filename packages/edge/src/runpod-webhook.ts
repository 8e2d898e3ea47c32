import {
  type Engine,
  PodbaseError,
  progressBody,
  providerJob,
  type ReportResult,
  reportOf,
  startBody,
} from "@podbase/core";
import { z } from "zod";
import { functionApp, readJson, type WaitUntil } from "./http.ts";

/** RunPod echoes the whole input (10 MiB at most) beside the output, 20 MB by its own limits (docs.runpod.io). */
const MAX_BODY_BYTES = 20 * 1024 * 1024;

// NUL, which a URL can carry and no database can hold, is no part of an address or token of ours.
const name = z.string().regex(/^[^\0]+$/);
const address = z.object({ kind: name, task: name, attempt: z.uuid() });
const TOKEN = /^\w+$/;

/**
 * What RunPod and its workers call. RunPod signs nothing, so every attempt has a token of its own: in the webhook's URL,
 * because RunPod sends nothing else, and as a Bearer token from workers. A wrong one gets a 401 that tells nothing.
 *
 *     POST <base>/<kind>/<task>/<attempt>?token=…   RunPod's webhook
 *     POST <callback>/start {id?}                    a worker's first act, with RunPod's id → {proceed, uploads}
 *     POST <callback>/progress {seq, progress}       → {proceed}
 *     POST <callback>/uploads                        fresh upload slots → {uploads}
 */
export function runpodWebhook(options: {
  engine: Engine;
  waitUntil: WaitUntil;
}): (request: Request) => Promise<Response> {
  const { engine, waitUntil } = options;
  const app = functionApp("runpod-webhook", MAX_BODY_BYTES);

  const report = async (
    parameters: Record<string, string>,
    token: string | undefined,
    details: Omit<Parameters<Engine["report"]>[0], "attempt" | "token" | "kind" | "task">,
  ) => {
    const target = address.safeParse(parameters);
    if (!target.success || !token || !TOKEN.test(token)) throw denied();
    const result = await engine.report({ ...details, ...target.data, token });
    if (result.verdict === "unauthorized") throw denied();
    waitUntil(result.dispatched);
    return { ...target.data, ...result };
  };

  app.post("/:kind/:task/:attempt", async (context) => {
    // The input and the URL that RunPod echoes are dropped here: neither is ever stored or logged.
    const job = providerJob.safeParse(await readJson(context));
    if (!job.success) throw new PodbaseError("invalid_input", "This is not a RunPod job.");
    const result = await report(context.req.param(), context.req.query("token"), {
      source: "webhook",
      ...reportOf(job.data),
    });
    return context.json({ verdict: result.verdict });
  });

  app.post("/:kind/:task/:attempt/start", async (context) => {
    // RunPod's own id lets an attempt be looked up whose submission was never recorded. Simple workers send nothing.
    const isEmpty = (await context.req.text()) === "";
    const body = startBody.safeParse(isEmpty ? {} : await readJson(context));
    if (!body.success) throw new PodbaseError("invalid_input", "Send {id}, RunPod's id of the job.");
    const result = await report(context.req.param(), bearer(context.req.header("authorization")), {
      source: "worker",
      status: "IN_PROGRESS",
      ...(body.data.id === undefined ? {} : { providerId: body.data.id }),
    });
    return context.json({
      proceed: result.proceed,
      ...(result.proceed ? { uploads: await slots(result) } : {}),
    });
  });

  app.post("/:kind/:task/:attempt/progress", async (context) => {
    const body = progressBody.safeParse(await readJson(context));
    if (!body.success)
      throw new PodbaseError("invalid_input", "Send {seq, progress} with progress from 0 to 1.");
    const result = await report(context.req.param(), bearer(context.req.header("authorization")), {
      source: "worker",
      status: "IN_PROGRESS",
      seq: body.data.seq,
      progress: body.data.progress,
    });
    return context.json({ proceed: result.proceed });
  });

  app.post("/:kind/:task/:attempt/uploads", async (context) => {
    const result = await report(context.req.param(), bearer(context.req.header("authorization")), {
      source: "worker",
      status: "IN_PROGRESS",
    });
    if (!result.proceed) throw denied();
    return context.json({ uploads: await slots(result) });
  });

  const slots = (result: ReportResult & z.infer<typeof address>) =>
    engine.uploads({
      user: result.user as string,
      job: result.job as string,
      task: result.task,
      attempt: result.attempt,
      artifacts: result.artifacts ?? {},
    });

  return async (request) => app.fetch(request);
}

const denied = () => new PodbaseError("unauthorized", "This token opens nothing here.");
const bearer = (header: string | undefined): string | undefined => header?.match(/^Bearer (.+)$/i)?.[1];
