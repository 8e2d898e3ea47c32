import type { Job } from "@podbase/client";
import { type JSX, useState } from "react";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";
import { useFocusLeft } from "./use-focus-left.ts";

/** Stops a job. What is already done stays. */
export function CancelButton({ job }: { job: Job }): JSX.Element {
  const { podbase } = useStack();
  const [asking, setAsking] = useState(false);
  const button = useFocusLeft();
  const [failure, setFailure] = useState<string>();
  const stopping = asking || job.phase === "canceling";

  const cancel = async () => {
    // Not `disabled`: that would take the focus from whoever pressed it.
    if (stopping) return;
    setAsking(true);
    const { error } = await podbase.jobs.cancel(job.id);
    setAsking(false);
    setFailure(error ? requestErrorText(error) : undefined);
  };

  return (
    <div className="cancel">
      <button
        ref={button}
        type="button"
        className="button button-quiet"
        data-testid="cancel"
        aria-disabled={stopping}
        onClick={cancel}
      >
        {stopping ? "Stopping…" : "Stop"}
        <span className="visually-hidden"> this</span>
      </button>
      {failure && <p role="alert">{failure}</p>}
    </div>
  );
}
