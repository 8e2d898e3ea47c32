import { callListener } from "./call-listener.ts";
import { PodbaseError } from "./errors.ts";
import type { JobStore } from "./job-store.ts";
import { isTerminal, type Job } from "./types.ts";

/** Who watches one job. */
export interface JobSink {
  /** A snapshot newer than, or at the same version richer than, the one before. */
  next(job: Job): void;
  /** The watch is over: null after a terminal snapshot, else why. Called once, last. */
  end(error: PodbaseError | null): void;
}

/** The watches on single jobs. */
export interface JobWatches {
  /** Begins a watch; returns a function that ends it silently. */
  add(id: string, sink: JobSink): () => void;
  /** Shows the store's snapshots of these jobs to their watches; ends those that came to a terminal one. */
  show(ids: Iterable<string>): void;
  /** Ends the watches on those of the asked jobs that were not found. */
  endMissing(asked: readonly string[], found: readonly Job[]): void;
  /** Ends all watches. */
  endAll(error: PodbaseError): void;
  ids(): string[];
}

interface Watch {
  id: string;
  sink: JobSink;
  shown: Job | null;
}

/** Makes the set of watches over a store. */
export const createJobWatches = (store: JobStore): JobWatches => {
  const watches = new Set<Watch>();

  const end = (watch: Watch, error: PodbaseError | null): void => {
    if (watches.delete(watch)) callListener(watch.sink.end, error);
  };

  const showTo = (watch: Watch): void => {
    const job = store.get(watch.id);
    if (!job || job === watch.shown || !watches.has(watch)) return;
    watch.shown = job;
    callListener(watch.sink.next, job);
    if (isTerminal(job)) end(watch, null);
  };

  return {
    add(id, sink) {
      const watch: Watch = { id, sink, shown: null };
      watches.add(watch);
      // Another watch may have brought the job already. Not before the caller holds the way to unsubscribe.
      queueMicrotask(() => showTo(watch));
      return () => void watches.delete(watch);
    },
    show(ids) {
      const changed = new Set(ids);
      for (const watch of [...watches]) if (changed.has(watch.id)) showTo(watch);
    },
    endMissing(asked, found) {
      const missing = new Set(asked);
      for (const job of found) missing.delete(job.id);
      for (const watch of [...watches]) {
        if (missing.has(watch.id))
          end(watch, new PodbaseError("job_not_found", `there is no job ${watch.id}`));
      }
    },
    endAll(error) {
      for (const watch of [...watches]) end(watch, error);
    },
    ids: () => [...new Set([...watches].map((watch) => watch.id))],
  };
};
