import { useJobs } from "@podbase/client/react";
import { type JSX, useCallback } from "react";
import type { Draft } from "./ask/draft.ts";
import { HomePage } from "./home-page.tsx";
import { ReadingPage } from "./reading/reading-page.tsx";
import type { ReadingList } from "./reading-job.ts";
import { go, homeHref, useRoute } from "./route.ts";
import { useStack } from "./stack.ts";

/** Everything a signed-in person sees: the form with earlier readings, or one reading. */
export function Readings({ draft, onDraft }: { draft: Draft; onDraft: (draft: Draft) => void }): JSX.Element {
  const { podbase } = useStack();
  const route = useRoute();
  // Also of other kinds: other apps on the same project may have some of their own.
  const history: ReadingList = useJobs(podbase, { limit: 30 });

  const askAgain = useCallback(
    (again: Draft) => {
      onDraft(again);
      go(homeHref);
    },
    [onDraft],
  );

  return route.page === "home" ? (
    <HomePage draft={draft} onDraft={onDraft} history={history} />
  ) : (
    <ReadingPage key={route.id} id={route.id} history={history} onAskAgain={askAgain} />
  );
}
