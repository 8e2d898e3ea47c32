import { type JSX, useId } from "react";
import { isReading, nameOf, questionOf } from "../job-kinds.ts";
import { JobMoon } from "../moon/job-moon.tsx";
import { readingHref } from "../route.ts";
import { requestErrorText } from "../texts/errors.ts";
import { isUnseen, spokenTime, statusWord } from "../texts/readings.ts";
import type { Shelf } from "../use-readings.ts";

/**
 * The person's earlier readings (and other jobs), newest first, each a link, and the way to older ones; `current`
 * is the one on show.
 */
export function History(props: { history: Shelf; current?: string }): JSX.Element {
  const { history, current } = props;
  const title = useId();
  // What is tried again by itself is a wait, not an error.
  const lost = history.error?.retryable ? null : history.error;
  return (
    <section className="history" aria-labelledby={title}>
      <h2 id={title}>Your readings</h2>
      {/* A failed look at what is shown already is no news: it is tried again, and the connection's mark tells. */}
      {lost && history.jobs.length === 0 && <p className="message message-bad">{requestErrorText(lost)}</p>}
      {history.jobs.length === 0 && !lost && (
        <p className="history-empty">
          {history.loading || history.error
            ? "Looking for earlier readings…"
            : "None yet. Your first one will be kept here."}
        </p>
      )}
      <ul className="history-list">
        {history.jobs.map((job) => (
          <li key={job.id}>
            <a
              data-testid="history-item"
              data-status={statusWord(job.status)}
              href={readingHref(job.id)}
              aria-current={job.id === current ? "page" : undefined}
            >
              <JobMoon job={job} />
              <span className="history-words">
                <span className="history-name" dir="auto">
                  {nameOf(job)}
                </span>
                <span className="history-question" dir="auto">
                  {questionOf(job) ?? (isReading(job) ? "No question, just the stars." : "")}
                </span>
                <span className="history-when">
                  {spokenTime(job.createdAt)} <span aria-hidden="true">·</span> {statusWord(job.status)}
                  {isUnseen(job) && <strong className="history-new"> new</strong>}
                </span>
              </span>
            </a>
          </li>
        ))}
      </ul>
      {history.onMore && (
        <button type="button" className="button button-quiet history-more" onClick={history.onMore}>
          Show older ones
        </button>
      )}
    </section>
  );
}
