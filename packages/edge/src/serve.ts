import { Engine, type JobCatalog, PodbaseError, RunPod } from "@podbase/core";
import { type Authentication, authentication } from "./authentication.ts";
import { readEnvironment } from "./environment.ts";
import { functionApp, type WaitUntil } from "./http.ts";
import { reconcile } from "./reconcile.ts";
import { requestJob } from "./request-job.ts";
import { runpodWebhook } from "./runpod-webhook.ts";
import { supabasePorts } from "./supabase.ts";

type Handler = (request: Request) => Promise<Response>;

const makers: Record<
  "request-job" | "runpod-webhook" | "reconcile",
  (engine: Engine, auth: Authentication) => Handler
> = {
  "request-job": (engine, { userOf }) => requestJob({ engine, waitUntil, userOf }),
  "runpod-webhook": (engine) => runpodWebhook({ engine, waitUntil }),
  reconcile: (engine, { isTrusted }) => reconcile({ engine, waitUntil, isTrusted }),
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
    try {
      handler ??= open(name, jobs, variables);
    } catch (error) {
      const app = notSetUp(name, error);
      return app.fetch(request);
    }
    return handler(request);
  };
}

/** Answers every call with why there is no function, browsers' preflights as ever: else they hide the answer from the app. */
function notSetUp(name: string, cause: unknown) {
  const app = functionApp(name, Number.POSITIVE_INFINITY);
  app.post("*", () => {
    throw new PodbaseError("internal", "This function's secrets are incomplete; its log names them.", {
      cause,
    });
  });
  return app;
}

function open(
  name: keyof typeof makers,
  jobs: JobCatalog,
  variables: Record<string, string | undefined>,
): Handler {
  const environment = readEnvironment(variables);
  const engine = new Engine({
    jobs,
    ...supabasePorts(environment),
    runpod: new RunPod({
      apiKey: environment.runpodApiKey,
      ...(environment.runpodNextApiKey ? { nextApiKey: environment.runpodNextApiKey } : {}),
      baseUrl: environment.runpodBaseUrl,
    }),
    webhookUrl: environment.webhookUrl,
  });
  return makers[name](engine, authentication(environment));
}

/** Only promises that the runtime knows of keep a worker alive (supabase.com/docs/guides/functions/background-tasks). */
const waitUntil: WaitUntil = (work) => {
  // A failure here is no answer to anybody; the reconciler finds what is left undone.
  const logged = work.catch((error) => console.error(error));
  (globalThis as { EdgeRuntime?: { waitUntil(work: Promise<unknown>): void } }).EdgeRuntime?.waitUntil(
    logged,
  );
};
