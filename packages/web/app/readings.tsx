import { useOutbox } from "@podbase/client/react";
import { type Dispatch, type JSX, type SetStateAction, useCallback } from "react";
import type { Draft } from "./ask/draft.ts";
import { HomePage } from "./home-page.tsx";
import { ReadingPage } from "./reading/reading-page.tsx";
import { go, homeHref, useRoute } from "./route.ts";
import { useStack } from "./stack.ts";
import { useReadings } from "./use-readings.ts";

/** Everything a signed-in person sees: the form with earlier readings, or one reading. */
export function Readings(props: { draft: Draft; onDraft: Dispatch<SetStateAction<Draft>> }): JSX.Element {
  const { draft, onDraft } = props;
  const route = useRoute();
  const history = useReadings();
  // Here, not with the form: what the last visit left is sent wherever this one begins.
  const waiting = useOutbox(useStack().podbase);

  const askAgain = useCallback(
    (again: Draft) => {
      onDraft(again);
      go(homeHref);
    },
    [onDraft],
  );

  return route.page === "home" ? (
    <HomePage draft={draft} onDraft={onDraft} history={history} waiting={waiting.length} />
  ) : (
    <ReadingPage key={route.id} id={route.id} history={history} onAskAgain={askAgain} />
  );
}
