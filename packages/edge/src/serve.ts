import { Engine, type JobCatalog, RunPod } from "@podbase/core";
import { verifyAuth } from "@supabase/server/core";
import { readEnvironment } from "./environment.ts";
import type { WaitUntil } from "./http.ts";
import { reconcile } from "./reconcile.ts";
import { requestJob } from "./request-job.ts";
import { runpodWebhook } from "./runpod-webhook.ts";
import { supabasePorts } from "./supabase.ts";

type Handler = (request: Request) => Promise<Response>;

const makers: Record<"request-job" | "runpod-webhook" | "reconcile", (engine: Engine) => Handler> = {
  "request-job": (engine) =>
    requestJob({
      engine,
      waitUntil,
      userOf: async (request) => (await verifyAuth(request, { auth: "user" })).data?.userClaims?.id ?? null,
    }),
  "runpod-webhook": (engine) => runpodWebhook({ engine, waitUntil }),
  reconcile: (engine) =>
    reconcile({
      engine,
      waitUntil,
      isTrusted: async (request) => (await verifyAuth(request, { auth: "secret:*" })).error === null,
    }),
};

/**
 * The Edge Function `name`, wired to its environment; `export default { fetch: serve("request-job", jobs, …) }` is all
 * that its index.ts holds. A missing secret is reported with the first request, not as a failed boot.
 */
export function serve(
  name: keyof typeof makers,
  jobs: JobCatalog,
  variables: Record<string, string | undefined>,
): Handler {
  let handler: Handler | undefined;
  return async (request) => {
    handler ??= makers[name](engineOf(jobs, variables));
    return handler(request);
  };
}

function engineOf(jobs: JobCatalog, variables: Record<string, string | undefined>): Engine {
  const environment = readEnvironment(variables);
  return new Engine({
    jobs,
    ...supabasePorts(environment),
    runpod: new RunPod({ apiKey: environment.runpodApiKey, baseUrl: environment.runpodBaseUrl }),
    webhookUrl: environment.webhookUrl,
  });
}

/** Only promises that the runtime knows of keep a worker alive (supabase.com/docs/guides/functions/background-tasks). */
const waitUntil: WaitUntil = (work) => {
  // A failure here is no answer to anybody; the reconciler finds what is left undone.
  const logged = work.catch((error) => console.error(error));
  (globalThis as { EdgeRuntime?: { waitUntil(work: Promise<unknown>): void } }).EdgeRuntime?.waitUntil(
    logged,
  );
};
