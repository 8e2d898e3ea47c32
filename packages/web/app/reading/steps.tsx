import type { Job } from "@podbase/client";
import { type JSX, useId } from "react";
import { MadeFiles } from "../artifacts/made.tsx";
import { stepsOf, titleOf, wordsOf } from "../job-kinds.ts";
import { Step } from "./step.tsx";

/** The timeline: one step a task, each with what it made. */
export function Steps({ job, now }: { job: Job; now: number }): JSX.Element {
  const title = useId();
  const words = wordsOf(job);
  return (
    <section className="steps" aria-labelledby={title}>
      <h2 id={title}>How it comes together</h2>
      <ol>
        {stepsOf(job).map(({ name, title: stepTitle, after }) => {
          const task = job.tasks[name];
          if (!task) return null;
          const readyAt = (after && job.tasks[after]?.finishedAt) ?? job.createdAt;
          // The words stand on the page in full.
          const isShown = words !== undefined && name === "text";
          return (
            <Step key={name} title={stepTitle} task={task} job={job} readyAt={readyAt} now={now}>
              {task.status === "completed" && !isShown && (
                <MadeFiles task={task} title={titleOf(job)} fileName={`${job.kind}-${name}`} />
              )}
            </Step>
          );
        })}
      </ol>
    </section>
  );
}
