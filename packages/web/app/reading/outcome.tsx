import type { JSX } from "react";
import { Markdown } from "../markdown/markdown.tsx";
import { JobMoon } from "../moon/job-moon.tsx";
import { Moon } from "../moon/moon.tsx";
import type { ReadingJob } from "../reading-job.ts";
import { failureText } from "../texts/errors.ts";
import { isOpen } from "../texts/readings.ts";
import { RetryButton } from "./retry-button.tsx";

/** The reading itself as soon as its words are there; until then, or if it ended without them, what to know. */
export function Outcome({ job, onAskAgain }: { job: ReadingJob; onAskAgain: () => void }): JSX.Element {
  const { text: task } = job.tasks;
  const text = task.status === "completed" ? task.output.text : undefined;
  return (
    <div className="outcome">
      {(job.status === "failed" || job.status === "canceled") && (
        <Ended job={job} kept={text !== undefined} onAskAgain={onAskAgain} />
      )}
      {text !== undefined && (
        <article className="card page" data-testid="reading-text" aria-label="Your reading">
          <div className="page-moons">
            {[0, 0.5, 1, 0.5, 0].map((lit, place) => (
              <Moon key={place} lit={lit} waxing={place < 2} mood="rest" />
            ))}
          </div>
          <Markdown text={text} topHeading={2} />
        </article>
      )}
      {text === undefined && isOpen(job) && (
        <div className="night">
          <JobMoon job={job} />
          <p>You can close this page or turn off your phone. The reading goes on, and waits for you here.</p>
        </div>
      )}
    </div>
  );
}

/** Why a reading ended early, and what can be done. */
function Ended(props: { job: ReadingJob; kept: boolean; onAskAgain: () => void }): JSX.Element {
  const { job, kept, onAskAgain } = props;
  const failed = job.status === "failed";
  return (
    <section className={`card ended ended-${job.status}`} aria-label="What happened">
      <h2>{failed ? "This one didn't come together" : "Stopped, as you wished"}</h2>
      <p>{failed ? failureText(job.error) : "No more machine time is spent on it."}</p>
      {kept && <p>The words were done before that and are kept below.</p>}
      <div className="button-row">
        <RetryButton job={job} />
        <button type="button" className="button" onClick={onAskAgain}>
          Change the question
        </button>
      </div>
      {failed && job.error && (
        <details>
          <summary>What the machine said</summary>
          <p>
            <code>{job.error.code}</code> {job.error.message}
          </p>
        </details>
      )}
    </section>
  );
}
