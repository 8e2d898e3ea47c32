import type { PodbaseError } from "@podbase/client";
import { type RefObject, useState } from "react";
import { requestErrorText } from "../texts/errors.ts";
import { useFocusLeft } from "./use-focus-left.ts";

/** What a button needs that has something done with a job. */
export interface JobAction {
  button: RefObject<HTMLButtonElement | null>;
  /** The server has not answered yet. Not for `disabled`: that would take the focus from whoever pressed the button. */
  asking: boolean;
  /** Why it was not done, in words. */
  failure: string | undefined;
  act(): Promise<void>;
}

/** Asks the server once at a time. */
export function useJobAction(ask: () => Promise<{ error: PodbaseError | null }>): JobAction {
  const [asking, setAsking] = useState(false);
  const [failure, setFailure] = useState<string>();
  const button = useFocusLeft();
  return {
    button,
    asking,
    failure,
    async act() {
      if (asking) return;
      setAsking(true);
      const { error } = await ask();
      setAsking(false);
      setFailure(error ? requestErrorText(error) : undefined);
    },
  };
}
