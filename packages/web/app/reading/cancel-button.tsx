import type { Job } from "@podbase/client";
import type { JSX } from "react";
import { useStack } from "../stack.ts";
import { useJobAction } from "./use-job-action.ts";

/** Stops a job. What is already done stays. */
export function CancelButton({ job }: { job: Job }): JSX.Element {
  const { podbase } = useStack();
  const { button, asking, failure, act } = useJobAction(() => podbase.jobs.cancel(job.id));
  const stopping = asking || job.phase === "canceling";

  return (
    <div className="cancel">
      <button
        ref={button}
        type="button"
        className="button button-quiet"
        data-testid="cancel"
        aria-disabled={stopping}
        onClick={() => stopping || act()}
      >
        {stopping ? "Stopping…" : "Stop"}
        <span className="visually-hidden"> this</span>
      </button>
      {failure && <p role="alert">{failure}</p>}
    </div>
  );
}
