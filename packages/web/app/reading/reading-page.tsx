import type { Job } from "@podbase/client";
import { useJob } from "@podbase/client/react";
import type { JSX } from "react";
import type { Draft } from "../ask/draft.ts";
import { History } from "../history/history.tsx";
import { isReading, questionOf, titleOf } from "../job-kinds.ts";
import { homeHref } from "../route.ts";
import { usePage } from "../shell/use-page.ts";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";
import { isOpen, spokenDay, spokenTime } from "../texts/readings.ts";
import type { Shelf } from "../use-readings.ts";
import { Announcer } from "./announcer.tsx";
import { Outcome } from "./outcome.tsx";
import { StatusBar } from "./status-bar.tsx";
import { Steps } from "./steps.tsx";
import { useMarkSeen } from "./use-mark-seen.ts";
import { useNow } from "./use-now.ts";

/** One job, as a rule a reading: its question, how far it is, its parts as they arrive. */
export function ReadingPage(props: {
  id: string;
  history: Shelf;
  onAskAgain: (draft: Draft) => void;
}): JSX.Element {
  const { id, history, onAskAgain } = props;
  const { podbase } = useStack();
  const { job, error, connection }: { job: Job | null } & Omit<ReturnType<typeof useJob>, "job"> = useJob(
    podbase,
    id,
  );
  useMarkSeen(job);
  const now = useNow(job ? isOpen(job) : false);
  const title = job ? titleOf(job) : "A reading";
  const question = job ? questionOf(job) : undefined;
  const heading = usePage(job ? tabMark(job) + title : title);

  return (
    <main id="main" tabIndex={-1} className="reading">
      <a className="back" href={homeHref}>
        <BackArrow />
        Ask for another reading
      </a>
      <div className="reading-head">
        <h1 ref={heading} tabIndex={-1}>
          {job && isReading(job) ? (
            <>
              A reading for <bdi>{job.input.name}</bdi>
            </>
          ) : (
            title
          )}
        </h1>
        {job && (
          <p className="reading-facts">
            {isReading(job) && (
              <>
                Born {spokenDay(job.input.birthDate)} <span aria-hidden="true">·</span> {job.input.voice}{" "}
                voice <span aria-hidden="true">·</span>{" "}
              </>
            )}
            asked {spokenTime(job.createdAt)}
          </p>
        )}
        {question && (
          <p className="reading-question" dir="auto">
            “{question}”
          </p>
        )}
      </div>

      {job ? (
        <>
          <StatusBar job={job} now={now} connection={connection} />
          <Announcer job={job} />
          <div className="reading-columns">
            <Steps job={job} now={now} />
            <Outcome job={job} onAskAgain={() => isReading(job) && onAskAgain(job.input)} />
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

/** Drawn, as not every font has one. */
function BackArrow(): JSX.Element {
  return (
    <svg className="back-arrow" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d="M14 8H3M7.5 3.5 3 8l4.5 4.5" />
    </svg>
  );
}

/** Tells in the browser's tab how far it is: the one place that is seen from other tabs. */
function tabMark(job: { status: string; progress: number | null }): string {
  if (job.status === "completed") return "Ready: ";
  if (job.status === "processing" && job.progress) return `${Math.round(job.progress * 100)} % · `;
  return "";
}
