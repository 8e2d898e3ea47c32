import type { Handler } from "@podbase/simulator";
import { runHandler } from "@podbase/worker";
import type { Execution, Ledger } from "./ledger.ts";

interface Input {
  podbase: { job: string; task: string; attempt: string; uploads: Record<string, unknown> };
}

/** Milliseconds of work; short, so that a run is about what goes wrong. */
const WORK_MS = 120;
/** The reading worker's, at the scale of the run. */
const RETRY_DELAYS_MS = [50, 200, 600];

/** A worker with all the calls of a real one and next to no work. What it works on goes to the current ledger. */
export function chaosWorker(ledger: () => Ledger): Handler {
  return (job, { sleep }) =>
    runHandler(
      job,
      async (_, { upload }) => {
        const { uploads, ...podbase } = (job.input as unknown as Input).podbase;
        const execution: Execution = {
          runpodJob: job.id,
          job: podbase.job,
          task: podbase.task,
          attempt: podbase.attempt,
          startedAt: Date.now(),
        };
        ledger().executions.push(execution);
        await sleep(WORK_MS);
        for (const name of Object.keys(uploads)) {
          await upload(name, new TextEncoder().encode(`${name} made by ${podbase.attempt}`));
        }
        execution.doneAt = Date.now();
        return { by: podbase.attempt };
      },
      { retryDelays: RETRY_DELAYS_MS, log: () => {} },
    );
}
