import type { Job } from "@podbase/client";
import { type JSX, useState } from "react";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";
import { useFocusLeft } from "./use-focus-left.ts";

/** Opens a job again that ended early. What was done before that is kept and not paid for twice. */
export function RetryButton({ job }: { job: Job }): JSX.Element {
  const { podbase } = useStack();
  const [asking, setAsking] = useState(false);
  const button = useFocusLeft();
  const [failure, setFailure] = useState<string>();

  const retry = async () => {
    if (asking) return;
    setAsking(true);
    const { error } = await podbase.jobs.retry(job.id);
    setAsking(false);
    setFailure(error ? requestErrorText(error) : undefined);
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        className="button button-strong"
        data-testid="retry"
        aria-disabled={asking}
        onClick={retry}
      >
        {asking ? "Asking…" : "Try again"}
      </button>
      {failure && <p role="alert">{failure}</p>}
    </>
  );
}
