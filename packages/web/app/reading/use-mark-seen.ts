import type { Job } from "@podbase/client";
import { useEffect } from "react";
import { useStack } from "../stack.ts";
import { isUnseen } from "../texts/readings.ts";

/** Says that a job's end was shown, once it is: at once, or when the tab is looked at. */
export function useMarkSeen(job: Job | null): void {
  const { podbase } = useStack();
  const id = job && isUnseen(job) ? job.id : undefined;
  useEffect(() => {
    if (id === undefined) return;
    const mark = () => {
      if (document.visibilityState === "hidden") return;
      document.removeEventListener("visibilitychange", mark);
      // One that did not arrive is marked at the next look.
      void podbase.jobs.markSeen(id);
    };
    document.addEventListener("visibilitychange", mark);
    mark();
    return () => document.removeEventListener("visibilitychange", mark);
  }, [podbase, id]);
}
