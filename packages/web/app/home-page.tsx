import type { JSX } from "react";
import { AskForm } from "./ask/ask-form.tsx";
import { type Draft, emptyDraft } from "./ask/draft.ts";
import { History } from "./history/history.tsx";
import type { ReadingList } from "./reading-job.ts";
import { go, readingHref } from "./route.ts";
import { usePage } from "./shell/use-page.ts";
import { isOpen, readingTitle } from "./texts/readings.ts";

/** The form, what is still being made, and the earlier readings. */
export function HomePage(props: {
  draft: Draft;
  onDraft: (draft: Draft) => void;
  history: ReadingList;
}): JSX.Element {
  const { draft, onDraft, history } = props;
  const heading = usePage("Ask for a reading");
  const open = history.jobs.filter(isOpen);

  const asked = (jobId: string) => {
    onDraft(emptyDraft);
    go(readingHref(jobId));
  };

  return (
    <main id="main" tabIndex={-1} className="home">
      <h1 ref={heading} tabIndex={-1}>
        What would you like to know?
      </h1>
      {open.map((job) => (
        <a key={job.id} className="resume" href={readingHref(job.id)}>
          <span>
            <strong>{readingTitle(job)}</strong> is still being made.
          </span>
          <span className="resume-go">Watch it</span>
        </a>
      ))}
      <div className="home-columns">
        <AskForm draft={draft} onDraft={onDraft} onAsked={asked} />
        <History history={history} />
      </div>
    </main>
  );
}
