import type { Dispatch, JSX, SetStateAction } from "react";
import { AskForm } from "./ask/ask-form.tsx";
import { type Draft, emptyDraft } from "./ask/draft.ts";
import { History } from "./history/history.tsx";
import { titleOf } from "./job-kinds.ts";
import { go, readingHref } from "./route.ts";
import { usePage } from "./shell/use-page.ts";
import { isOpen } from "./texts/readings.ts";
import type { Shelf } from "./use-readings.ts";

/** So many of those that are still being made are on top of the page. */
const RESUMED = 3;

/** The form, what is still being made, and the earlier readings. `waiting` questions are not sent yet. */
export function HomePage(props: {
  draft: Draft;
  onDraft: Dispatch<SetStateAction<Draft>>;
  history: Shelf;
  waiting: number;
}): JSX.Element {
  const { draft, onDraft, history, waiting } = props;
  const heading = usePage("Ask for a reading");
  const open = history.jobs.filter(isOpen);

  // Not what was written since, perhaps by the next person at this browser.
  const clear = () => onDraft((now) => (now === draft ? emptyDraft : now));
  const asked = (jobId: string) => {
    clear();
    // Who has gone elsewhere meanwhile is left there.
    if (heading.current) go(readingHref(jobId));
  };

  return (
    <main id="main" tabIndex={-1} className="home">
      <h1 ref={heading} tabIndex={-1}>
        What would you like to know?
      </h1>
      {open.slice(0, RESUMED).map((job) => (
        <a key={job.id} className="resume" href={readingHref(job.id)}>
          <span>
            <strong dir="auto">{titleOf(job)}</strong> is still being made.
          </span>
          <span className="resume-go">Watch it</span>
        </a>
      ))}
      {open.length > RESUMED && (
        <p className="resume-rest">
          And {open.length - RESUMED} more{history.onMore && " at least"}, to be found among your readings.
        </p>
      )}
      {waiting > 0 && (
        <p className="waiting-requests" role="status" data-testid="waiting-requests">
          {waiting === 1 ? "A question is" : `${waiting} questions are`} kept here and asked as soon as you
          are online again. You may close the page.
        </p>
      )}
      <div className="home-columns">
        <AskForm draft={draft} onDraft={onDraft} onAsked={asked} onKept={clear} />
        <History history={history} />
      </div>
    </main>
  );
}
