import { type JSX, useState } from "react";
import type { ReadingJob } from "../reading-job.ts";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";

/** Stops a reading. What is already done stays. */
export function CancelButton({ job }: { job: ReadingJob }): JSX.Element {
  const { podbase } = useStack();
  const [asking, setAsking] = useState(false);
  const [failure, setFailure] = useState<string>();
  const stopping = asking || job.phase === "canceling";

  const cancel = async () => {
    setAsking(true);
    const { error } = await podbase.jobs.cancel(job.id);
    setAsking(false);
    setFailure(error ? requestErrorText(error) : undefined);
  };

  return (
    <div className="cancel">
      <button
        type="button"
        className="button button-quiet"
        data-testid="cancel"
        disabled={stopping}
        onClick={cancel}
      >
        {stopping ? "Stopping…" : "Stop"}
        <span className="visually-hidden"> this reading</span>
      </button>
      {failure && <p role="alert">{failure}</p>}
    </div>
  );
}
