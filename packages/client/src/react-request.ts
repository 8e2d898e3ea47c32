import { useCallback, useRef, useState } from "react";
import type { PodbaseError, Result } from "./errors.ts";
import type { Podbase } from "./podbase.ts";
import type { DefinitionOf, InputOf, Job, JobCatalog, KindOf } from "./types.ts";

interface RequestState<J> {
  pending: boolean;
  /** Of the last request; null again with the next. */
  error: PodbaseError | null;
  /** The last job that was requested here. */
  job: J | null;
}

/** What {@link useRequestJob} returns. */
export interface UseRequestJob<Jobs extends JobCatalog, Kind extends KindOf<Jobs>>
  extends RequestState<Job<DefinitionOf<Jobs, Kind>>> {
  /** Requests the job. A call while another one is under way gives that one's result. */
  request(input: InputOf<DefinitionOf<Jobs, Kind>>): Promise<Result<Job<DefinitionOf<Jobs, Kind>>>>;
}

/**
 * Requests jobs of a kind, safely: the same input asked for again after an error, by a double click or after a lost
 * connection, leads to the same job.
 */
export const useRequestJob = <Jobs extends JobCatalog, const Kind extends string>(
  podbase: Podbase<Jobs>,
  kind: Kind & KindOf<Jobs>,
): UseRequestJob<Jobs, Kind & KindOf<Jobs>> => {
  type J = Job<DefinitionOf<Jobs, Kind>>;
  const [state, setState] = useState<RequestState<J>>({
    pending: false,
    error: null,
    job: null,
  });
  const intention = useRef<{ input: string; key: string } | null>(null);
  const underway = useRef<Promise<Result<J>> | null>(null);

  const request = useCallback(
    (input: InputOf<DefinitionOf<Jobs, Kind>>): Promise<Result<J>> => {
      if (underway.current) return underway.current;
      const text = JSON.stringify([kind, input]);
      if (intention.current?.input !== text) {
        intention.current = { input: text, key: podbase.jobs.newKey() };
      }
      setState((before) => ({ ...before, pending: true, error: null }));
      const result = podbase.jobs
        .request(kind, input, { idempotencyKey: intention.current.key })
        .then((answer) => {
          underway.current = null;
          if (answer.data) intention.current = null;
          setState((before) => ({ pending: false, error: answer.error, job: answer.data ?? before.job }));
          return answer;
        });
      underway.current = result;
      return result;
    },
    [podbase, kind],
  );
  return { ...state, request };
};
