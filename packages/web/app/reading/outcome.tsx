import type { Job } from "@podbase/client";
import type { JSX } from "react";
import { Gallery } from "../artifacts/gallery.tsx";
import { madeBy } from "../artifacts/kinds.ts";
import { isReading, wordsOf } from "../job-kinds.ts";
import { Markdown } from "../markdown/markdown.tsx";
import { JobMoon } from "../moon/job-moon.tsx";
import { Moon } from "../moon/moon.tsx";
import { failureText } from "../texts/errors.ts";
import { isOpen } from "../texts/readings.ts";
import { RetryButton } from "./retry-button.tsx";

/** What came of it, as soon as it is there: words, pictures; until then, or if it ended without them, what to know. */
export function Outcome({ job, onAskAgain }: { job: Job; onAskAgain: () => void }): JSX.Element {
  const text = wordsOf(job);
  const pictures = madeBy(job, "picture").length > 0;
  return (
    <div className="outcome">
      {(job.status === "failed" || job.status === "canceled") && (
        <Ended job={job} kept={text !== undefined} onAskAgain={onAskAgain} />
      )}
      {text !== undefined && (
        <article className="card page" data-testid="reading-text" aria-label="Your reading" dir="auto">
          <div className="page-moons">
            {[0, 0.5, 1, 0.5, 0].map((lit, place) => (
              <Moon key={place} lit={lit} waxing={place < 2} mood="rest" />
            ))}
          </div>
          <Markdown text={text} topHeading={2} />
        </article>
      )}
      <Gallery job={job} />
      {text === undefined && !pictures && isOpen(job) && (
        <div className="night">
          <JobMoon job={job} />
          {job.phase !== "canceling" && (
            <p>You can close this page or turn off your phone. The work goes on, and waits for you here.</p>
          )}
        </div>
      )}
    </div>
  );
}

/** Why a reading ended early, and what can be done. */
function Ended(props: { job: Job; kept: boolean; onAskAgain: () => void }): JSX.Element {
  const { job, kept, onAskAgain } = props;
  const failed = job.status === "failed";
  return (
    <section className={`card ended ended-${job.status}`} aria-label="What happened">
      <h2>{failed ? "This one didn't come together" : "Stopped, as you wished"}</h2>
      <p>{failed ? failureText(job.error) : "No more machine time is spent on it."}</p>
      {kept && <p>The words were done before that and are kept below.</p>}
      <div className="button-row">
        <RetryButton job={job} />
        {isReading(job) && (
          <button type="button" className="button" onClick={onAskAgain}>
            Change the question
          </button>
        )}
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
