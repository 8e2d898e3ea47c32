import { callListener } from "./call-listener.ts";
import type { PodbaseError } from "./errors.ts";
import type { JobStore } from "./job-store.ts";
import type { JobFilter } from "./rest.ts";
import { isTerminal, type Job, type JobStatus } from "./types.ts";

/** The newest jobs at one moment. */
export interface JobListSnapshot {
  jobs: Job[];
  /** Why the list may be out of date or is empty; null again as soon as a reading succeeds. */
  error: PodbaseError | null;
}

/** The watches on lists of the newest jobs. They belong to whoever is signed in and outlive a sign-out. */
export interface JobLists {
  /** Begins a watch; returns a function that ends it. */
  add(filter: JobFilter, listener: (snapshot: JobListSnapshot) => void): () => void;
  /** What the lists to read now are of; marks them as read. */
  takeDue(everything: boolean): JobFilter[];
  /** Takes in what was read for a filter; the next `show` tells. */
  applyRows(filter: JobFilter, jobs: readonly Job[]): void;
  /** A job changed or was requested: lists that may have to show it, or not any more, have to be read. */
  note(job: { id: string; status: JobStatus }): void;
  /** A listed job is gone: the lists that show it have to be read. */
  forget(ids: readonly string[]): void;
  /** Shows the lists that contain one of these jobs, or whose own contents changed. */
  show(ids: Iterable<string>): void;
  /** A reading failed: shows the error beside what is known, and has the lists read again. */
  fail(error: PodbaseError): void;
  /** The user left: empties the lists until the next one comes. */
  clear(error: PodbaseError): void;
  /** Empties the lists and ends them. */
  endAll(error: PodbaseError): void;
  hasStale(): boolean;
  /** Whether a listed job may still change, or a list was never read. */
  hasOpen(): boolean;
  ids(): string[];
  size(): number;
}

interface List {
  filter: JobFilter;
  listener: (snapshot: JobListSnapshot) => void;
  ids: string[] | null;
  /** Jobs heard of that were not among the newest, with the status where that counts: of others like it nothing is read. */
  others: Map<string, JobStatus | undefined>;
  stale: boolean;
  changed: boolean;
  error: PodbaseError | null;
}

/** Whether a list of this filter may show the job. */
const fits = ({ status }: JobFilter, job: { status: JobStatus }): boolean =>
  status === undefined || [status].flat().includes(job.status);

const keyOf = ({ limit, status }: JobFilter): string => JSON.stringify([limit, status]);

/** Makes the set of list watches over a store. */
export const createJobLists = (store: JobStore): JobLists => {
  const lists = new Set<List>();

  const show = (list: List): void => {
    list.changed = false;
    const jobs = (list.ids ?? [])
      .map(store.get)
      .filter((job) => job !== null)
      .filter((job) => fits(list.filter, job));
    callListener(list.listener, { jobs, error: list.error });
  };

  const clear = (error: PodbaseError): void => {
    // A copy, here and below: what a listener adds has a turn of its own.
    for (const list of [...lists]) {
      Object.assign(list, { ids: null, others: new Map(), stale: true, error } satisfies Partial<List>);
      show(list);
    }
  };

  return {
    add(filter, listener) {
      const list: List = {
        filter,
        listener,
        ids: null,
        others: new Map(),
        stale: true,
        changed: false,
        error: null,
      };
      lists.add(list);
      return () => void lists.delete(list);
    },
    takeDue(everything) {
      const due = [...lists].filter((list) => everything || list.stale);
      // Before the reading starts: what becomes known during it has to be read again.
      for (const list of due) list.stale = false;
      return [...new Map(due.map(({ filter }) => [keyOf(filter), filter])).values()];
    },
    applyRows(filter, jobs) {
      for (const list of lists) {
        if (keyOf(list.filter) !== keyOf(filter)) continue;
        const ids = jobs.map((job) => job.id);
        list.changed = list.error !== null || list.ids?.join() !== ids.join();
        list.ids = ids;
        for (const id of ids) list.others.delete(id);
        list.error = null;
      }
    },
    note(job) {
      for (const list of lists) {
        const [listed, fit] = [list.ids?.includes(job.id) ?? false, fits(list.filter, job)];
        const status = list.filter.status && job.status;
        const known = list.others.has(job.id) && list.others.get(job.id) === status;
        if (listed) list.others.delete(job.id);
        else list.others.set(job.id, status);
        if (listed !== fit && !known) list.stale = true;
      }
    },
    forget(ids) {
      for (const list of lists) if (ids.some((id) => list.ids?.includes(id))) list.stale = true;
    },
    show(ids) {
      const changed = new Set(ids);
      for (const list of [...lists]) if (list.changed || list.ids?.some((id) => changed.has(id))) show(list);
    },
    fail(error) {
      for (const list of [...lists]) {
        list.stale = true;
        list.error = error;
        show(list);
      }
    },
    clear,
    endAll(error) {
      clear(error);
      lists.clear();
    },
    hasStale: () => [...lists].some((list) => list.stale),
    hasOpen: () =>
      [...lists].some((list) => {
        const open = (id: string) => {
          const job = store.get(id);
          return job === null || !isTerminal(job);
        };
        return list.ids === null || list.ids.some(open);
      }),
    ids: () => [...lists].flatMap((list) => list.ids ?? []),
    size: () => lists.size,
  };
};
