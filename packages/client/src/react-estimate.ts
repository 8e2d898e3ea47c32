import { useEffect, useState } from "react";
import type { Estimate, QueuePosition } from "./estimate.ts";
import type { Podbase } from "./podbase.ts";
import { isTerminal, type Job, type JobCatalog } from "./types.ts";

/** What {@link useEstimate} returns; each null while it is not known. */
export interface UseEstimate {
  estimate: Estimate | null;
  /** The place in our queue, while the job waits there. */
  queue: QueuePosition | null;
}

const NOTHING = { of: null, estimate: null, queue: null };
const EVERY_MS = 15_000;

/**
 * When an open job may be done, asked again when a task moves on and every 15 s. What can't be read for now is left as it
 * was: an estimate is never worth an error.
 */
export const useEstimate = <Jobs extends JobCatalog>(
  podbase: Podbase<Jobs>,
  job: Pick<Job, "id" | "status" | "phase" | "tasks"> | null,
): UseEstimate => {
  const [{ of, ...known }, setKnown] = useState<UseEstimate & { of: string | null }>(NOTHING);
  const open = job !== null && !isTerminal(job);
  const id = open ? job.id : null;
  const stage = open
    ? Object.values(job.tasks)
        .map(({ phase }) => phase)
        .join()
    : "";
  const queued = open && stage.includes("queued");

  useEffect(() => {
    if (id === null) {
      setKnown(NOTHING);
      return;
    }
    let current = true;
    const ask = async () => {
      const [estimate, queue] = await Promise.all([
        podbase.jobs.estimate(id),
        queued ? podbase.jobs.queuePosition(id) : { data: null, error: null },
      ]);
      if (!current) return;
      setKnown((latest) => {
        const before = latest.of === id ? latest : NOTHING;
        return {
          of: id,
          estimate: estimate.error ? before.estimate : estimate.data,
          queue: queue.error ? before.queue : queue.data,
        };
      });
    };
    void ask();
    const timer = setInterval(ask, EVERY_MS);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [podbase, id, stage, queued]);
  // Never another job's.
  return of === id ? known : NOTHING;
};
