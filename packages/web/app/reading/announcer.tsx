import type { JSX } from "react";
import type { ReadingJob } from "../reading-job.ts";
import { waitingText } from "../texts/waiting.ts";
import { steps } from "./step-names.ts";

/**
 * Tells screen readers, politely, what changed: the line that stands in the status bar and which parts are ready.
 * Its words move with statuses and phases only, never with the ticking clock or a percentage.
 */
export function Announcer({ job }: { job: ReadingJob }): JSX.Element {
  const ready = steps.filter(({ name }) => job.tasks[name].status === "completed").map(({ title }) => title);
  // An estimate moves with the clock, so only the line is told.
  const { line } = waitingText({ ...job, notice: null }, 0);
  return (
    <p className="visually-hidden" role="status">
      {line} {ready.length > 0 && `Ready so far: ${ready.join(", ")}.`}
    </p>
  );
}
