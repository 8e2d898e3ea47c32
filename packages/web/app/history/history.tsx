import { type JSX, useId } from "react";
import { JobMoon } from "../moon/job-moon.tsx";
import type { ReadingList } from "../reading-job.ts";
import { readingHref } from "../route.ts";
import { requestErrorText } from "../texts/errors.ts";
import { isUnseen, spokenTime } from "../texts/readings.ts";

/** The person's earlier readings, newest first, each a link; `current` is the one on show. */
export function History(props: { history: ReadingList; current?: string }): JSX.Element {
  const { history, current } = props;
  const title = useId();
  return (
    <section className="history" aria-labelledby={title}>
      <h2 id={title}>Your readings</h2>
      {/* A failed look at what is shown already is no news: it is tried again, and the connection's mark tells. */}
      {history.error && history.jobs.length === 0 && (
        <p className="message message-bad">{requestErrorText(history.error)}</p>
      )}
      {history.jobs.length === 0 && !history.error && (
        <p className="history-empty">
          {history.loading ? "Looking for earlier readings…" : "None yet. Your first one will be kept here."}
        </p>
      )}
      <ul className="history-list">
        {history.jobs.map((job) => (
          <li key={job.id}>
            <a
              data-testid="history-item"
              data-status={job.status}
              href={readingHref(job.id)}
              aria-current={job.id === current ? "page" : undefined}
            >
              <JobMoon job={job} />
              <span className="history-words">
                <span className="history-name">{job.input.name}</span>
                <span className="history-question">
                  {job.input.question || "No question, just the stars."}
                </span>
                <span className="history-when">
                  {spokenTime(job.createdAt)} <span aria-hidden="true">·</span> {job.status}
                  {isUnseen(job) && <strong className="history-new"> new</strong>}
                </span>
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
