import type { Job, Task } from "@podbase/client";
import type { JSX, ReactNode } from "react";
import { JobMoon } from "../moon/job-moon.tsx";
import { failureText } from "../texts/errors.ts";
import { waitingText } from "../texts/waiting.ts";
import { ProgressBar, showsBar } from "./progress-bar.tsx";
import { taskTiming } from "./timing.ts";

/** One step of the timeline: where its task stands, and what it made as `children`. */
export function Step(props: {
  title: string;
  task: Task;
  job: Job;
  readyAt: string;
  now: number;
  children: ReactNode;
}): JSX.Element {
  const { title, task, job, readyAt, now, children } = props;
  const { line, hint } = waitingText(task, now, { job, task: task.name });
  // What is told of the whole job already is not told again here.
  const isTold = task.notice?.code === job.notice?.code;
  const timing = taskTiming(task, readyAt, now);
  return (
    <li className="step" data-testid={`task-${task.name}`} data-status={task.status} data-phase={task.phase}>
      <JobMoon job={task} />
      <div className="step-words">
        <h3>
          {title} {timing && <span className="step-time">{timing}</span>}
        </h3>
        <p>{task.status === "failed" ? failureText(task.error) : line}</p>
        {hint && !isTold && <p className="step-hint">{hint}</p>}
        {showsBar(task) && <ProgressBar label={title} progress={task.progress} />}
        {children}
      </div>
    </li>
  );
}
