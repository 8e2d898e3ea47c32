import type { Subscription } from "./connection.ts";
import type { Result } from "./errors.ts";
import { type EstimateRow, type QueuePosition, toEstimate } from "./estimate.ts";
import { notAnId } from "./job-id.ts";
import { awaitJob, iterateJob, iterateList } from "./job-iterable.ts";
import type { JobListSnapshot } from "./job-lists.ts";
import type { JobsApi, RequestOptions, WatchOptions } from "./jobs-api.ts";
import { type RequestedJob, type RequestPorts, requestJob, requestJobs } from "./request.ts";
import type { JobFilter, Rest } from "./rest.ts";
import type { ServerClock } from "./server-clock.ts";
import type { Job, UntypedCatalog } from "./types.ts";
import type { Watcher } from "./watcher.ts";

/** What {@link createJobs} needs. */
export interface JobsPorts extends RequestPorts {
  rest: Rest;
  watcher: Watcher;
  clock: ServerClock;
}

/** Makes the jobs half of a client, without types: `createPodbase` adds those of the definitions. */
export const createJobs = (ports: JobsPorts): JobsApi<UntypedCatalog> => {
  const { runtime, rest, watcher, clock } = ports;
  /** Ends a watch with its `unsubscribe()` or the signal, whichever comes first. */
  const endable = (signal: AbortSignal | undefined, begin: (end: () => void) => () => void): Subscription => {
    const end = (): void => {
      stop();
      signal?.removeEventListener("abort", end);
    };
    const stop = begin(end);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
    return { unsubscribe: end };
  };

  const watchJob = (id: string, next: (job: Job) => void, { signal, onEnd }: WatchOptions): Subscription =>
    endable(signal, (end) =>
      watcher.watch(id, {
        next,
        end(error) {
          end();
          onEnd?.(error);
        },
      }),
    );

  const watch = (
    what: string | JobFilter,
    second: ((snapshot: never) => void) | WatchOptions = {},
    options: WatchOptions = {},
  ): Subscription | AsyncIterable<Job> | AsyncIterable<JobListSnapshot> => {
    if (typeof what === "string") {
      return typeof second === "function"
        ? watchJob(what, second as (job: Job) => void, options)
        : iterateJob(watcher, what, second);
    }
    const filter: JobFilter = { limit: 50, ...what };
    if (typeof second !== "function") return iterateList(watcher, filter, second);
    const listener = second as (list: JobListSnapshot) => void;
    return endable(options.signal, () => watcher.watchList(filter, listener));
  };

  const request = async (
    kind: string,
    input: unknown,
    options: RequestOptions = {},
  ): Promise<Result<Job>> => {
    const { idempotencyKey = runtime.uniqueId() } = options;
    const result = await requestJob(ports, { kind, input, idempotencyKey });
    if (result.data) watcher.offer([result.data]);
    return result;
  };

  const requestMany = async (
    requests: readonly { kind: string; input: unknown; idempotencyKey?: string }[],
  ): Promise<Result<RequestedJob[]>> => {
    const keyed = requests.map(({ kind, input, idempotencyKey = runtime.uniqueId() }) => ({
      kind,
      input,
      idempotencyKey,
    }));
    const result = await requestJobs(ports, keyed);
    // Nothing is broadcast of jobs that are made together.
    if (result.data) watcher.resync();
    return result;
  };

  const change = async (name: Parameters<Rest["change"]>[0], id: string): Promise<Result<Job>> => {
    const result = await rest.change(name, id);
    if (result.data) watcher.offer([result.data]);
    return result;
  };

  // The definitions exist only as types, so the signatures that depend on them are asserted, not inferred.
  return {
    request: request as JobsApi<UntypedCatalog>["request"],
    requestMany: requestMany as JobsApi<UntypedCatalog>["requestMany"],
    newKey: () => runtime.uniqueId(),
    async get(id) {
      const { data, error } = await rest.byIds(notAnId(id) ? [] : [id]);
      if (error) return { data: null, error };
      watcher.offer(data);
      return { data: data[0] ?? null, error: null };
    },
    async list(filter = {}) {
      const result = await rest.list(filter);
      if (result.data) watcher.offer(result.data);
      return result;
    },
    cancel: (id) => change("cancel_job", id),
    retry: (id) => change("retry_job", id),
    onReopened: watcher.reopened.subscribe,
    async restore({ limit = 50 } = {}) {
      const result = await rest.unseen(limit);
      if (result.data) watcher.offer(result.data);
      return result;
    },
    markSeen: (id) => change("mark_seen", id),
    async estimate(id) {
      const asked = runtime.now();
      const { data, error } = await rest.about("estimate", id);
      if (error) return { data: null, error };
      clock.learn((data as EstimateRow).now, asked);
      return { data: toEstimate(data as EstimateRow), error: null };
    },
    async queuePosition(id) {
      const { data, error } = await rest.about("queue_position", id);
      return error ? { data: null, error } : { data: data as QueuePosition | null, error: null };
    },
    watch: watch as JobsApi<UntypedCatalog>["watch"],
    awaitResult: (id, options = {}) => awaitJob(watcher, id, options),
  };
};
