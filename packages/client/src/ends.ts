import { createEmitter, type Emitter } from "./emitter.ts";
import { isTerminal, type Job } from "./types.ts";

/** Which jobs were seen at their end. */
export interface Ends {
  /** Takes in what is known of jobs now. */
  note(jobs: readonly (Job | null)[]): void;
  /** Tells the id of a job that was seen at its end and has gone on since; it may be at another end by now. */
  reopened: Pick<Emitter<string>, "subscribe">;
}

/** Makes an empty set. */
export const createEnds = (): Ends => {
  /** The versions of the ends. */
  const over = new Map<string, number>();
  const reopened = createEmitter<string>();
  return {
    note(jobs) {
      for (const job of jobs) {
        if (!job) continue;
        const end = over.get(job.id);
        // An answer may be late.
        if (end !== undefined && job.version <= end) continue;
        if (isTerminal(job)) over.set(job.id, job.version);
        else over.delete(job.id);
        if (end !== undefined) reopened.emit(job.id);
      }
    },
    reopened,
  };
};
