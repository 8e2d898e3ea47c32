/** React hooks over a Podbase client. Works with React 18 and later, on servers and in StrictMode. */
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useMemo,
  useSyncExternalStore,
} from "react";
import type { Connection } from "./connection.ts";
import type { PodbaseError } from "./errors.ts";
import type { JobList } from "./jobs-api.ts";
import type { Podbase } from "./podbase.ts";
import type { JobCatalog, JobOf, JobStatus, UntypedCatalog } from "./types.ts";

interface JobState<Jobs extends JobCatalog> {
  job: JobOf<Jobs> | null;
  error: PodbaseError | null;
}

const Context = createContext<Podbase | null>(null);

/** Gives a client to everything below it. */
export const PodbaseProvider = <Jobs extends JobCatalog>(props: {
  podbase: Podbase<Jobs>;
  children?: ReactNode;
}): ReactElement =>
  // The catalog is only a type; usePodbase names it again.
  createElement(Context.Provider, { value: props.podbase as unknown as Podbase }, props.children);

/** The client of the `PodbaseProvider` above; throws without one. Name your catalog: `usePodbase<typeof jobs>()`. */
export const usePodbase = <Jobs extends JobCatalog = UntypedCatalog>(): Podbase<Jobs> => {
  const podbase = useContext(Context);
  if (!podbase) throw new Error("usePodbase needs a PodbaseProvider above it");
  return podbase as unknown as Podbase<Jobs>;
};

/** What {@link useJob} returns. */
export interface UseJob<Jobs extends JobCatalog> extends JobState<Jobs> {
  connection: Connection;
}

/** What {@link useJobs} returns. */
export interface UseJobs<Jobs extends JobCatalog> extends JobList<Jobs> {
  /** True until the first answer. */
  loading: boolean;
}

/** A value that is kept current while somebody subscribes. */
const createSource = <T>(initial: T, begin: (set: (value: T) => void) => { unsubscribe(): void }) => {
  let current = initial;
  return {
    get: () => current,
    getInitial: () => initial,
    subscribe(onChange: () => void) {
      const { unsubscribe } = begin((value) => {
        current = value;
        onChange();
      });
      return unsubscribe;
    },
  };
};

const useSource = <T>(source: ReturnType<typeof createSource<T>>): T =>
  useSyncExternalStore(source.subscribe, source.get, source.getInitial);

/** How changes arrive at this moment; for a quiet word such as "reconnecting". */
export const useConnection = <Jobs extends JobCatalog>(podbase: Podbase<Jobs>): Connection => {
  const subscribe = useCallback(
    (onChange: () => void) => podbase.onConnection(onChange).unsubscribe,
    [podbase],
  );
  return useSyncExternalStore<Connection>(
    subscribe,
    () => podbase.connection,
    () => "connecting",
  );
};

/**
 * Follows one job. `job` is null until it was read, or while there is no id yet; afterwards it is the newest snapshot.
 * `error` is set when the job can't be followed any more (`job_not_found`, `signed_out`, `closed`), never for a lost
 * connection and never because the job failed: that is `job.status`.
 */
export const useJob = <Jobs extends JobCatalog>(
  podbase: Podbase<Jobs>,
  id: string | null | undefined,
): UseJob<Jobs> => {
  const source = useMemo(() => {
    const initial: JobState<Jobs> = { job: null, error: null };
    return createSource(initial, (set) => {
      if (id == null) return { unsubscribe() {} };
      let status: JobStatus | undefined;
      const watch = () =>
        podbase.jobs.watch(
          id,
          (job) => {
            status = job.status;
            set({ job, error: null });
          },
          {
            // What was shown may belong to somebody who is gone.
            onEnd: (error) => error && set({ job: null, error }),
          },
        );
      let watching = watch();
      const watchAgain = () => {
        watching.unsubscribe();
        watching = watch();
      };
      const retries = podbase.jobs.onReopened((reopened) => reopened === id && watchAgain());
      // Whoever slept may have tried it again on another device.
      const waking = podbase.onWake(() => (status === "failed" || status === "canceled") && watchAgain());
      return {
        unsubscribe() {
          retries.unsubscribe();
          waking.unsubscribe();
          watching.unsubscribe();
        },
      };
    });
  }, [podbase, id]);
  return { ...useSource(source), connection: useConnection(podbase) };
};

/** Follows the newest jobs of whoever is signed in, 50 if no limit is given. `error` says why the list may be old. */
export const useJobs = <Jobs extends JobCatalog>(
  podbase: Podbase<Jobs>,
  { limit = 50 }: { limit?: number } = {},
): UseJobs<Jobs> => {
  const source = useMemo(() => {
    const initial: UseJobs<Jobs> = { jobs: [], loading: true, error: null };
    return createSource(initial, (set) =>
      podbase.jobs.watch({ limit }, (list) => set({ ...list, loading: false })),
    );
  }, [podbase, limit]);
  return useSource(source);
};

export { type UseArtifactUrl, useArtifactUrl } from "./react-artifact.ts";
export { type UseEstimate, useEstimate } from "./react-estimate.ts";
export { useOutbox } from "./react-outbox.ts";
export { type UseRequestJob, useRequestJob } from "./react-request.ts";
