import type { Job } from "@podbase/client";
import type { JSX } from "react";
import { stepsOf } from "../job-kinds.ts";
import { waitingText } from "../texts/waiting.ts";

/**
 * Tells screen readers, politely, what changed: the line that stands in the status bar and which parts are ready.
 * Its words move with statuses and phases only, never with the ticking clock or a percentage.
 */
export function Announcer({ job }: { job: Job }): JSX.Element {
  const ready = stepsOf(job)
    .filter(({ name }) => job.tasks[name]?.status === "completed")
    .map(({ title }) => title);
  // An estimate moves with the clock, so only the line is told.
  const { line } = waitingText({ ...job, notice: null }, 0, { job });
  return (
    <p className="visually-hidden" role="status">
      {line} {ready.length > 0 && `Ready so far: ${ready.join(", ")}.`}
    </p>
  );
}
