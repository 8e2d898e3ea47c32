import { type Clock, type Engine, PodbaseError } from "@podbase/core";
import { functionApp, type WaitUntil } from "./http.ts";

/** One call works for at most this long and leaves the rest to the next tick; functions may live 150 s in all. */
const BUDGET_MS = 25_000;

/** What the reconcile function needs. */
export interface ReconcileOptions {
  engine: Engine;
  /** Whether a request carries one of the project's secret keys. */
  isTrusted: (request: Request) => Promise<boolean>;
  waitUntil: WaitUntil;
  clock?: Clock;
}

/**
 * `POST reconcile` with a secret key in `apikey`: what cron's tick calls when something is due. Answers 202 at once,
 * because pg_net holds up every other call of the database while it waits (github.com/supabase/pg_net), then cancels,
 * submits and polls until nothing is due. Two at once do no harm: all work is claimed.
 */
export function reconcile(options: ReconcileOptions): (request: Request) => Promise<Response> {
  const { engine, isTrusted, waitUntil, clock = Date } = options;
  const app = functionApp("reconcile", 64 * 1024);
  app.post("/", async (context) => {
    if (!(await isTrusted(context.req.raw)))
      throw new PodbaseError("unauthorized", "This needs a secret key.");
    waitUntil(engine.pass(clock.now() + BUDGET_MS));
    return context.json({ accepted: true }, 202);
  });
  return async (request) => app.fetch(request);
}
