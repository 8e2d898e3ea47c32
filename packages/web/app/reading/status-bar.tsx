import { englishTexts, type Job } from "@podbase/client";
import { useEstimate } from "@podbase/client/react";
import type { JSX } from "react";
import { JobMoon } from "../moon/job-moon.tsx";
import type { Connection } from "../reading-job.ts";
import { useStack } from "../stack.ts";
import { spokenEstimate } from "../texts/durations.ts";
import { isOpen, statusWord } from "../texts/readings.ts";
import { waitingText } from "../texts/waiting.ts";
import { CancelButton } from "./cancel-button.tsx";
import { ConnectionMark } from "./connection-mark.tsx";
import { ProgressBar, showsBar } from "./progress-bar.tsx";
import { jobTiming } from "./timing.ts";

/** Where the whole reading stands, in a word and a line. */
export function StatusBar({
  job,
  now,
  connection,
}: {
  job: Job;
  now: number;
  connection: Connection;
}): JSX.Element {
  const { podbase } = useStack();
  const open = isOpen(job);
  const { line, hint } = waitingText(job, now, { job });
  const { estimate, queue } = useEstimate(podbase, job);
  // A notice with a time of its own knows more than history.
  const isTold = job.phase === "canceling" || job.notice?.eta !== undefined;
  const expected = isTold ? "" : spokenEstimate(estimate, now);
  return (
    <section className="status-bar" aria-label="Where it stands">
      <JobMoon job={job} />
      <div className="status-words">
        <p className="status-line">
          <strong className="status-word" data-testid="job-status" data-status={job.status}>
            {statusWord(job.status)}
          </strong>
          <span className="status-time">{jobTiming(job, now)}</span>
          {open && <ConnectionMark connection={connection} />}
        </p>
        <p className="status-phase" data-testid="job-phase" data-phase={job.phase}>
          {line}
        </p>
        {hint && (
          <p className="status-notice" data-testid="notice" data-notice={job.notice?.code}>
            {hint}
          </p>
        )}
        {queue && (
          <p className="status-hint" data-testid="queue-position">
            {englishTexts.queued(queue.position, queue.capped)}
          </p>
        )}
        {expected && (
          <p className="status-hint" data-testid="estimate">
            {expected}
          </p>
        )}
      </div>
      {open && <CancelButton job={job} />}
      {showsBar(job) && <ProgressBar label="All of it" progress={job.progress} />}
    </section>
  );
}
