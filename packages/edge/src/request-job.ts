import { type Engine, PodbaseError, requestBody } from "@podbase/core";
import { functionApp, readJson, type WaitUntil } from "./http.ts";

const MAX_BODY_BYTES = 1024 * 1024;

export interface RequestJobOptions {
  engine: Engine;
  /** The signed-in user of a request, or null. */
  userOf: (request: Request) => Promise<string | null>;
  waitUntil: WaitUntil;
}

/**
 * `POST request-job {kind, input, idempotencyKey?}` with a user's JWT: stores the job and answers at once, 202 for a new
 * one, 200 for one that the key already made; then posts it to RunPod. If this dies before or during that, the
 * reconciler takes over.
 */
export function requestJob({
  engine,
  userOf,
  waitUntil,
}: RequestJobOptions): (request: Request) => Promise<Response> {
  const app = functionApp("request-job", MAX_BODY_BYTES);
  app.post("/", async (context) => {
    const user = await userOf(context.req.raw);
    if (!user) throw new PodbaseError("unauthorized", "Sign in first: this needs a valid user token.");
    const body = requestBody.safeParse(await readJson(context));
    if (!body.success) {
      throw new PodbaseError("invalid_input", "The request is malformed.", {
        issues: body.error.issues.map((issue) => ({ path: issue.path.map(asKey), message: issue.message })),
      });
    }
    const { kind, input, idempotencyKey } = body.data;
    const { job, created, claims } = await engine.request(user, kind, input, idempotencyKey);
    waitUntil(engine.dispatch(claims));
    return context.json({ jobId: job.id, created, job }, created ? 202 : 200);
  });
  return async (request) => app.fetch(request);
}

const asKey = (key: PropertyKey): string | number => (typeof key === "number" ? key : String(key));
