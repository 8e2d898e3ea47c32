import { type JSX, useState } from "react";
import type { ReadingJob } from "../reading-job.ts";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";

/** Opens a reading again that ended early. What was done before that is kept and not paid for twice. */
export function RetryButton({ job }: { job: ReadingJob }): JSX.Element {
  const { podbase } = useStack();
  const [asking, setAsking] = useState(false);
  const [failure, setFailure] = useState<string>();

  const retry = async () => {
    setAsking(true);
    const { error } = await podbase.jobs.retry(job.id);
    setAsking(false);
    setFailure(error ? requestErrorText(error) : undefined);
  };

  return (
    <>
      <button
        type="button"
        className="button button-strong"
        data-testid="retry"
        disabled={asking}
        onClick={retry}
      >
        {asking ? "Asking…" : "Try again"}
      </button>
      {failure && <p role="alert">{failure}</p>}
    </>
  );
}
