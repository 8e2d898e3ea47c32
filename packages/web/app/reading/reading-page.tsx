import { useJob } from "@podbase/client/react";
import type { JSX } from "react";
import type { Draft } from "../ask/draft.ts";
import { History } from "../history/history.tsx";
import type { ReadingList } from "../reading-job.ts";
import { homeHref } from "../route.ts";
import { usePage } from "../shell/use-page.ts";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";
import { isOpen, readingTitle, spokenDay, spokenTime } from "../texts/readings.ts";
import { Announcer } from "./announcer.tsx";
import { Outcome } from "./outcome.tsx";
import { StatusBar } from "./status-bar.tsx";
import { Steps } from "./steps.tsx";
import { useMarkSeen } from "./use-mark-seen.ts";
import { useNow } from "./use-now.ts";

/** One reading: its question, how far it is, its parts as they arrive. */
export function ReadingPage(props: {
  id: string;
  history: ReadingList;
  onAskAgain: (draft: Draft) => void;
}): JSX.Element {
  const { id, history, onAskAgain } = props;
  const { podbase } = useStack();
  const { job, error, connection } = useJob(podbase, id);
  useMarkSeen(job);
  const now = useNow(job ? isOpen(job) : false);
  const title = job ? readingTitle(job) : "A reading";
  const heading = usePage(job ? tabMark(job) + title : title);

  return (
    <main id="main" tabIndex={-1} className="reading">
      <a className="back" href={homeHref}>
        <span aria-hidden="true">←</span> Ask for another reading
      </a>
      <div className="reading-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {job && (
          <p className="reading-facts">
            Born {spokenDay(job.input.birthDate)} <span aria-hidden="true">·</span> {job.input.voice} voice{" "}
            <span aria-hidden="true">·</span> asked {spokenTime(job.createdAt)}
          </p>
        )}
        {job?.input.question && <p className="reading-question">“{job.input.question}”</p>}
      </div>

      {job ? (
        <>
          <StatusBar job={job} now={now} connection={connection} />
          <Announcer job={job} />
          <div className="reading-columns">
            <Steps job={job} now={now} />
            <Outcome job={job} onAskAgain={() => onAskAgain(job.input)} />
          </div>
        </>
      ) : (
        <p className={error ? "message message-bad" : "reading-loading"} role={error ? "alert" : "status"}>
          {error ? requestErrorText(error) : "Looking for your reading…"}
        </p>
      )}
      <History history={history} current={id} />
    </main>
  );
}

/** Tells in the browser's tab how far it is: the one place that is seen from other tabs. */
function tabMark(job: { status: string; progress: number | null }): string {
  if (job.status === "completed") return "Ready: ";
  if (job.status === "processing" && job.progress) return `${Math.round(job.progress * 100)} % · `;
  return "";
}
