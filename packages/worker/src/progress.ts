import type { Callback } from "./callback.ts";

/** Thrown out of `progress` when Podbase no longer wants the attempt; `runHandler` turns it into a stopped result. */
export class StoppedError extends Error {
  override name = "StoppedError";
  constructor() {
    super("Podbase stopped this attempt");
  }
}

/** Reports progress of one attempt. */
export type ProgressReporter = {
  /** `fraction` is clamped to 0 to 1 and rounded to thousandths. Throws a StoppedError if the attempt is to stop. */
  report(fraction: number, message?: string): Promise<void>;
  /** Sends the newest report if it was held back. Never throws: work that is done is worth handing over. */
  flush(): Promise<void>;
};

/** The least pause between two reports in milliseconds. */
const LEAST_PAUSE = 300;
/** Reporting may take at most a tenth of the time: after a slow call the next one waits ten times as long. */
const PAUSE_PER_CALL = 10;

/** Numbers the reports with `seq` from 1 and sends no more than one per 300 ms, holding back the newest. */
export function createProgressReporter(
  callback: Pick<Callback, "progress">,
  now: () => number = () => performance.now(),
): ProgressReporter {
  let seq = 0;
  let notBefore = Number.NEGATIVE_INFINITY;
  let held: { progress: number; message?: string } | null = null;

  const send = async (report: { progress: number; message?: string }): Promise<boolean> => {
    held = null;
    const sent = now();
    const proceed = await callback.progress({ seq: ++seq, ...report });
    notBefore = now() + Math.max(LEAST_PAUSE, (now() - sent) * PAUSE_PER_CALL);
    return proceed;
  };

  return {
    async report(fraction, message) {
      const progress = Math.round(Math.min(1, Math.max(0, fraction)) * 1000) / 1000;
      held = message === undefined ? { progress } : { progress, message };
      if (now() >= notBefore && !(await send(held))) throw new StoppedError();
    },
    async flush() {
      if (held) await send(held);
    },
  };
}
