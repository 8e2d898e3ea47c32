import { createEmitter, type Emitter } from "./emitter.ts";
import { isTerminal, type Job } from "./types.ts";

/** Which jobs were seen at their end. */
export interface Ends {
  /** Takes in what is known of jobs now. */
  note(jobs: readonly (Job | null)[]): void;
  /** Tells the id of a job that was seen at its end and is open again. */
  reopened: Pick<Emitter<string>, "subscribe">;
}

/** Makes an empty set. */
export const createEnds = (): Ends => {
  const over = new Set<string>();
  const reopened = createEmitter<string>();
  return {
    note(jobs) {
      for (const job of jobs) {
        if (job && isTerminal(job)) over.add(job.id);
        else if (job && over.delete(job.id)) reopened.emit(job.id);
      }
    },
    reopened,
  };
};
