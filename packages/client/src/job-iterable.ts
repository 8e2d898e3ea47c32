import { PodbaseError } from "./errors.ts";
import type { JobListSnapshot } from "./job-lists.ts";
import type { JobFilter } from "./rest.ts";
import type { Job } from "./types.ts";
import type { Watcher } from "./watcher.ts";

/** What ends a watch or a wait early. */
export interface SignalOption {
  signal?: AbortSignal;
}

/** What a watch tells an iterator. */
interface Sink<T> {
  next(snapshot: T): void;
  end(error: PodbaseError | null): void;
}

/** A watch on one job as an async iterable. It ends after a terminal snapshot. */
export const iterateJob = (watcher: Watcher, id: string, options: SignalOption): AsyncIterable<Job> =>
  iterate((sink: Sink<Job>) => watcher.watch(id, sink), options);

/** A watch on a list as an async iterable. It never ends by itself. */
export const iterateList = (
  watcher: Watcher,
  filter: JobFilter,
  options: SignalOption,
): AsyncIterable<JobListSnapshot> =>
  iterate(
    ({ next, end }: Sink<JobListSnapshot>) =>
      watcher.watchList(filter, (list) => (list.error?.code === "closed" ? end(list.error) : next(list))),
    options,
  );

/**
 * A watch as an async iterable. Each iterator is a watch of its own. A slow consumer gets the newest snapshot next, not
 * those it missed. It ends silently on `return()` or the signal, and throws `PodbaseError` when the watch ends with one.
 */
const iterate = <T extends object>(
  begin: (sink: Sink<T>) => () => void,
  { signal }: SignalOption,
): AsyncIterable<T> => ({
  [Symbol.asyncIterator]() {
    let latest: T | null = null;
    let error: PodbaseError | null = null;
    let ended = false;
    const waiting: (() => void)[] = [];
    const wake = (): void => {
      for (const resolve of waiting.splice(0)) resolve();
    };
    const stop = begin({
      next(snapshot) {
        latest = snapshot;
        wake();
      },
      end(reason) {
        error = reason;
        finish();
      },
    });
    const finish = (): void => {
      ended = true;
      stop();
      signal?.removeEventListener("abort", abandon);
      wake();
    };
    const abandon = (): void => {
      latest = null;
      finish();
    };
    if (signal?.aborted) abandon();
    else signal?.addEventListener("abort", abandon);

    const next = async (): Promise<IteratorResult<T, undefined>> => {
      while (!latest && !ended) {
        await new Promise<void>((resolve) => void waiting.push(resolve));
      }
      if (latest) {
        const value: T = latest;
        latest = null;
        return { value, done: false };
      }
      if (error) {
        const reason: PodbaseError = error;
        error = null;
        throw reason;
      }
      return { value: undefined, done: true };
    };
    return {
      next,
      async return() {
        abandon();
        return { value: undefined, done: true };
      },
    };
  },
});

/** Waits for a terminal snapshot. Rejects with `PodbaseError` when the watch ends for another reason. */
export const awaitJob = (watcher: Watcher, id: string, { signal }: SignalOption): Promise<Job> =>
  new Promise((resolve, reject) => {
    const abandon = (): void => {
      stop();
      reject(new PodbaseError("aborted", "the wait for the result was aborted", { cause: signal?.reason }));
    };
    let last: Job | null = null;
    const stop = watcher.watch(id, {
      next(job) {
        last = job;
      },
      end(error) {
        signal?.removeEventListener("abort", abandon);
        if (last && !error) resolve(last);
        else reject(error);
      },
    });
    if (signal?.aborted) abandon();
    else signal?.addEventListener("abort", abandon, { once: true });
  });
