import { type JSX, type ReactNode, useId } from "react";
import type { ReadingJob, TaskName } from "../reading-job.ts";
import { AudioPart } from "./audio-part.tsx";
import { PdfPart } from "./pdf-part.tsx";
import { Step } from "./step.tsx";
import { steps } from "./step-names.ts";

/** The timeline: one step a task, each with what it made. */
export function Steps({ job, now }: { job: ReadingJob; now: number }): JSX.Element {
  const title = useId();
  const made: Partial<Record<TaskName, ReactNode>> = {
    audio: <AudioPart artifact={job.tasks.audio.artifacts.audio} />,
    pdf: <PdfPart artifact={job.tasks.pdf.artifacts.pdf} />,
  };
  return (
    <section className="steps" aria-labelledby={title}>
      <h2 id={title}>How it comes together</h2>
      <ol>
        {steps.map(({ name, title: stepTitle, after }) => {
          const task = job.tasks[name];
          const readyAt = (after && job.tasks[after].finishedAt) ?? job.createdAt;
          return (
            <Step
              key={name}
              name={name}
              title={stepTitle}
              task={task}
              jobNotice={job.notice}
              readyAt={readyAt}
              now={now}
            >
              {task.status === "completed" && made[name]}
            </Step>
          );
        })}
      </ol>
    </section>
  );
}
