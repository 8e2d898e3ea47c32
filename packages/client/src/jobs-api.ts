import type { Subscription } from "./connection.ts";
import type { PodbaseError, Result } from "./errors.ts";
import type { Estimate, QueuePosition } from "./estimate.ts";
import type { SignalOption } from "./job-iterable.ts";
import type { JobListSnapshot } from "./job-lists.ts";
import type { RequestedJob } from "./request.ts";
import type { JobFilter } from "./rest.ts";
import type { DefinitionOf, InputOf, Job, JobCatalog, JobOf, KindOf } from "./types.ts";

/** Further wishes for a request. */
export interface RequestOptions {
  /**
   * Names the intention: requests of one user with the same key and input are one job, however often they are sent.
   * Use one key per form or tap to be safe from double clicks and restarts; made up if not given. At most 255 characters.
   */
  idempotencyKey?: string;
}

/** One of many requests: a kind with an input of that kind. */
export type RequestOf<Jobs extends JobCatalog, Kind> =
  Kind extends KindOf<Jobs>
    ? { kind: Kind; input: InputOf<DefinitionOf<Jobs, Kind>> } & RequestOptions
    : never;

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
   * `idempotency_conflict`, `payload_too_large`, `unauthorized`, `rate_limited`, `quota_exceeded`, `network`,
   * `server_error`, `not_installed`.
   */
  request<Kind extends KindOf<Jobs>>(
    kind: Kind,
    input: InputOf<DefinitionOf<Jobs, Kind>>,
    options?: RequestOptions,
  ): Promise<Result<Job<DefinitionOf<Jobs, Kind>>>>;
  /**
   * Requests up to 500 jobs in one call, all or none, and resolves to their ids in the same order; `created` is false for
   * those that their keys had made before. They share one MiB. Results of earlier jobs are not reused (`reuse`).
   *
   * Resolves to `{ data, error }` and does not throw. Codes as of {@link JobsApi.request}; the paths of issues begin with
   * `"jobs"` and the place in the list, and a kind that does not exist is `invalid_input` too.
   */
  requestMany(requests: readonly RequestOf<Jobs, KindOf<Jobs>>[]): Promise<Result<RequestedJob[]>>;
  /** A new idempotency key, for one form or tap. */
  newKey(): string;
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
   * Opens a job that failed or was canceled again; tasks that were completed stay so and are not run again.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `not_retryable`, `job_not_found`, `unauthorized`,
   * `network`, `server_error`, `not_installed`.
   */
  retry(id: string): Promise<Result<JobOf<Jobs>>>;
  /** Calls back with the id of a job that was over and has gone on since, by a retry: time to watch it again. */
  onReopened(listener: (id: string) => void): Subscription;
  /**
   * What an app that was killed shows on its return: every job that is running, or that ended without having been shown
   * ({@link JobsApi.markSeen}). The newest first, 50 if no limit is given.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `unauthorized`, `network`, `server_error`, `not_installed`.
   */
  restore(options?: { limit?: number }): Promise<Result<JobOf<Jobs>[]>>;
  /**
   * Says that the end of a job was shown to the user; `job.seenAt` tells since when. An open job stays unseen.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `job_not_found`, `unauthorized`, `network`, `server_error`,
   * `not_installed`.
   */
  markSeen(id: string): Promise<Result<JobOf<Jobs>>>;
  /**
   * When a job may be done, by how long its routes lately took; worth asking again when its phase changes.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `job_not_found`, `unauthorized`, `network`, `server_error`,
   * `not_installed`.
   */
  estimate(id: string): Promise<Result<Estimate>>;
  /**
   * How many tasks are before the job's first waiting one; null when none of its tasks waits in our queue.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `job_not_found`, `unauthorized`, `network`, `server_error`,
   * `not_installed`.
   */
  queuePosition(
    id: string,
  ): Promise<{ data: QueuePosition | null; error: null } | { data: null; error: PodbaseError }>;
  /**
   * Follows a job: snapshots that never go back in versions, until it comes to its end. Network trouble only delays
   * them. Throws `PodbaseError` with `signed_out`, `job_not_found` or `closed` on other ends.
   *
   * @example
   * for await (const job of podbase.jobs.watch(id)) render(job);
   */
  watch(id: string, options?: SignalOption): AsyncIterable<JobOf<Jobs>>;
  /** The same with a callback, which is never called before this returns. */
  watch(id: string, listener: (job: JobOf<Jobs>) => void, options?: WatchOptions): Subscription;
  /**
   * Follows the newest jobs of whoever is signed in (50 if no limit is given), all or those of some statuses, so an app that
   * just started sees what it left behind. Goes on through sign-outs and failures, which show as `error` beside what is
   * known. Throws `PodbaseError` with `closed`.
   *
   * @example
   * for await (const { jobs } of podbase.jobs.watch({ status: ["queued", "processing"] })) render(jobs);
   */
  watch(filter: JobFilter, options?: SignalOption): AsyncIterable<JobList<Jobs>>;
  /** The same with a callback, which is never called before this returns, and hears of `closed` as its last `error`. */
  watch(filter: JobFilter, listener: (list: JobList<Jobs>) => void, options?: SignalOption): Subscription;
  /**
   * Waits until a job has come to its end, however long it takes, and resolves to it: check its `status`.
   *
   * Rejects with `PodbaseError` when the wait ends otherwise: `signed_out`, `job_not_found`, `closed`, `aborted`.
   */
  awaitResult(id: string, options?: SignalOption): Promise<JobOf<Jobs>>;
}
