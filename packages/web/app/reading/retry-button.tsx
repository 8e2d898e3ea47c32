import type { Job } from "@podbase/client";
import type { JSX } from "react";
import { useStack } from "../stack.ts";
import { useJobAction } from "./use-job-action.ts";

/** Opens a job again that ended early. What was done before that is kept and not paid for twice. */
export function RetryButton({ job }: { job: Job }): JSX.Element {
  const { podbase } = useStack();
  const { button, asking, failure, act } = useJobAction(() => podbase.jobs.retry(job.id));

  return (
    <>
      <button
        ref={button}
        type="button"
        className="button button-strong"
        data-testid="retry"
        aria-disabled={asking}
        onClick={act}
      >
        {asking ? "Asking…" : "Try again"}
      </button>
      {failure && <p role="alert">{failure}</p>}
    </>
  );
}
