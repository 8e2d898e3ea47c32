import { bulkRequestBody, type Clock, type Engine, PodbaseError, requestBody } from "@podbase/core";
import type { z } from "zod";
import { functionApp, readStorableJson, type WaitUntil } from "./http.ts";

const MAX_BODY_BYTES = 1024 * 1024;
/** After a bulk request, submitting goes on for at most this long; the reconciler takes what is left. */
const DISPATCH_BUDGET_MS = 25_000;

/** What the request-job function needs. */
export interface RequestJobOptions {
  engine: Engine;
  /** The signed-in user of a request, or null. */
  userOf: (request: Request) => Promise<string | null>;
  waitUntil: WaitUntil;
  clock?: Clock;
}

/**
 * `POST request-job {kind, input, idempotencyKey?}` with a user's JWT: stores the job and answers at once, 202 for a new
 * one, 200 for one that the key already made; then posts it to RunPod. If this dies before or during that, the
 * reconciler takes over.
 *
 * `POST request-job {jobs: [{kind, input, idempotencyKey?}, …]}`: up to 500 in one transaction, all or none. Answers
 * `{jobs: [{jobId, created}, …]}` in the same order, 202 if any is new, else 200.
 */
export function requestJob(options: RequestJobOptions): (request: Request) => Promise<Response> {
  const { engine, userOf, waitUntil, clock = Date } = options;
  const app = functionApp("request-job", MAX_BODY_BYTES);
  app.post("/", async (context) => {
    const user = await userOf(context.req.raw);
    if (!user) throw new PodbaseError("unauthorized", "Sign in first: this needs a valid user token.");
    const body = await readStorableJson(context);
    if (typeof body === "object" && body !== null && Object.hasOwn(body, "jobs")) {
      const { jobs: requests } = parse(bulkRequestBody, body);
      const made = await engine.requestMany(user, requests);
      const created = made.some((job) => job.created);
      if (created) waitUntil(engine.dispatchReady(clock.now() + DISPATCH_BUDGET_MS));
      const jobs = made.map(({ job, created }) => ({ jobId: job, created }));
      return context.json({ jobs }, created ? 202 : 200);
    }
    const { kind, input, idempotencyKey } = parse(requestBody, body);
    const { job, created, claims } = await engine.request(user, kind, input, idempotencyKey);
    waitUntil(engine.dispatch(claims));
    return context.json({ jobId: job.id, created, job }, created ? 202 : 200);
  });
  return async (request) => app.fetch(request);
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new PodbaseError("invalid_input", "The request is malformed.", {
    issues: result.error.issues.slice(0, 100).map((issue) => ({
      path: issue.path.map((key) => (typeof key === "number" ? key : String(key))),
      message: issue.message,
    })),
  });
}
