import type { Subscription } from "./connection.ts";
import type { PodbaseError, Result } from "./errors.ts";
import { awaitJob, iterateJob, type SignalOption } from "./job-iterable.ts";
import type { JobListSnapshot } from "./job-lists.ts";
import { requestJob } from "./request.ts";
import type { JobFilter, Rest } from "./rest.ts";
import type { Runtime } from "./runtime.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import type { DefinitionOf, InputOf, Job, JobCatalog, JobOf, KindOf, UntypedCatalog } from "./types.ts";
import type { Watcher } from "./watcher.ts";

/** Further wishes for a request. */
export interface RequestOptions {
  /**
   * Names the intention: requests of one user with the same key and input are one job, however often they are sent.
   * Use one key per form or tap to be safe from double clicks and restarts; made up if not given. At most 255 characters.
   */
  idempotencyKey?: string;
}

/** Further wishes for a watch by callback. */
export interface WatchOptions extends SignalOption {
  /**
   * Called once when the watch is over: with null after a terminal snapshot, else with `signed_out`, `job_not_found` or
   * `closed`. Not called after `unsubscribe()` or the signal.
   */
  onEnd?(error: PodbaseError | null): void;
}

/** The newest jobs at one moment, typed by their definitions. */
export interface JobList<Jobs extends JobCatalog> extends JobListSnapshot {
  jobs: JobOf<Jobs>[];
}

/** Requesting and following jobs of the signed-in user. */
export interface JobsApi<Jobs extends JobCatalog> {
  /**
   * Requests a job. It is safe to call again with the same key; the client itself repeats what failed on the way a few
   * times, so this may take some seconds on a bad connection.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `invalid_input` (with `issues`), `unknown_job_kind`,
   * `idempotency_conflict`, `payload_too_large`, `unauthorized`, `rate_limited`, `network`, `server_error`,
   * `not_installed`.
   */
  request<Kind extends KindOf<Jobs>>(
    kind: Kind,
    input: InputOf<DefinitionOf<Jobs, Kind>>,
    options?: RequestOptions,
  ): Promise<Result<Job<DefinitionOf<Jobs, Kind>>>>;
  /**
   * Reads a job once; `data` is null if the user has no such job.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `unauthorized`, `network`, `server_error`, `not_installed`.
   */
  get(id: string): Promise<{ data: JobOf<Jobs> | null; error: null } | { data: null; error: PodbaseError }>;
  /**
   * Reads the user's jobs once, the newest first.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `unauthorized`, `network`, `server_error`, `not_installed`.
   */
  list(filter?: JobFilter): Promise<Result<JobOf<Jobs>[]>>;
  /**
   * Cancels a job. What has not started ends at once; what runs is `canceling` until its worker has stopped, and a
   * result that arrives before that still counts. A finished job stays as it is.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `job_not_found`, `unauthorized`, `network`, `server_error`,
   * `not_installed`.
   */
  cancel(id: string): Promise<Result<JobOf<Jobs>>>;
  /**
   * Follows a job: snapshots that never go back in versions, until it comes to its end. Network trouble only delays
   * them. See {@link iterateJob}: throws `PodbaseError` with `signed_out`, `job_not_found` or `closed` on other ends.
   *
   * @example
   * for await (const job of podbase.jobs.watch(id)) render(job);
   */
  watch(id: string, options?: SignalOption): AsyncIterable<JobOf<Jobs>>;
  /** The same with a callback, which is never called before this returns. */
  watch(id: string, listener: (job: JobOf<Jobs>) => void, options?: WatchOptions): Subscription;
  /**
   * Follows the newest jobs of whoever is signed in (50 if no limit is given), so an app that just started sees what it
   * left behind. Goes on through sign-outs and failures, which show as `error` beside what is known.
   */
  watchList(listener: (list: JobList<Jobs>) => void, options?: { limit?: number }): Subscription;
  /**
   * Waits until a job has come to its end, however long it takes, and resolves to it: check its `status`.
   *
   * Rejects with `PodbaseError` when the wait ends otherwise: `signed_out`, `job_not_found`, `closed`, `aborted`.
   */
  awaitResult(id: string, options?: SignalOption): Promise<JobOf<Jobs>>;
}

/** What {@link createJobs} needs. */
export interface JobsPorts {
  supabase: AnySupabaseClient;
  runtime: Runtime;
  rest: Rest;
  watcher: Watcher;
}

/** Makes the jobs half of a client, without types: `createPodbase` adds those of the definitions. */
export const createJobs = ({ supabase, runtime, rest, watcher }: JobsPorts): JobsApi<UntypedCatalog> => {
  const watchWith = (
    id: string,
    listener: (job: Job) => void,
    { signal, onEnd }: WatchOptions,
  ): Subscription => {
    const end = (): void => {
      stop();
      signal?.removeEventListener("abort", end);
    };
    const stop = watcher.watch(id, {
      next: listener,
      end(error) {
        end();
        onEnd?.(error);
      },
    });
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
    return { unsubscribe: end };
  };

  const request = async (
    kind: string,
    input: unknown,
    options: RequestOptions = {},
  ): Promise<Result<Job>> => {
    const { idempotencyKey = runtime.uniqueId() } = options;
    const result = await requestJob(supabase, runtime, { kind, input, idempotencyKey });
    if (result.data) watcher.offer([result.data]);
    return result;
  };

  // The definitions exist only as types, so the signatures that depend on them are asserted, not inferred.
  return {
    request: request as JobsApi<UntypedCatalog>["request"],
    async get(id) {
      const { data, error } = await rest.byIds([id]);
      if (error) return { data: null, error };
      watcher.offer(data);
      return { data: data[0] ?? null, error: null };
    },
    async list(filter = {}) {
      const result = await rest.list(filter);
      if (result.data) watcher.offer(result.data);
      return result;
    },
    async cancel(id) {
      const result = await rest.cancel(id);
      if (result.data) watcher.offer([result.data]);
      return result;
    },
    watch: ((id: string, second?: ((job: Job) => void) | SignalOption, options: WatchOptions = {}) =>
      typeof second === "function"
        ? watchWith(id, second, options)
        : iterateJob(watcher, id, second ?? {})) as JobsApi<UntypedCatalog>["watch"],
    watchList: (listener, { limit = 50 } = {}) => ({ unsubscribe: watcher.watchList(limit, listener) }),
    awaitResult: (id, options = {}) => awaitJob(watcher, id, options),
  };
};
