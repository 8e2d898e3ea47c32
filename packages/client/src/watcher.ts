import { callListener } from "./call-listener.ts";
import { createUserChannel } from "./channel.ts";
import { type ConnectionState, createConnectionState } from "./connection.ts";
import type { Emitter } from "./emitter.ts";
import { createEnds } from "./ends.ts";
import { asPodbaseError, PodbaseError } from "./errors.ts";
import { notAnId } from "./job-id.ts";
import { createJobLists, type JobListSnapshot } from "./job-lists.ts";
import { createJobStore } from "./job-store.ts";
import { createJobWatches, type JobSink } from "./job-watches.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { isJobMessage } from "./message.ts";
import { createPace, type PollPace } from "./pace.ts";
import { createRefresher } from "./refresher.ts";
import type { JobFilter, Rest } from "./rest.ts";
import type { Runtime } from "./runtime.ts";
import { createSession } from "./session.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import type { Job } from "./types.ts";

/** A page change ends the last watch and begins the next: leaving the topic only after this saves a rejoin. */
const LINGER_MS = 1_000;
/** A list that begins while nobody is signed in is told so this late: one that begins anew at each error must not spin. */
const TELL_MS = 1_000;

/** What a {@link Watcher} needs. */
export interface WatcherPorts {
  supabase: AnySupabaseClient;
  rest: Rest;
  runtime: Runtime;
  poll: PollPace | false;
  lifecycle: Lifecycle;
  /** Told what went wrong on the way, for logs. */
  onProblem(error: unknown): void;
}

/** Keeps jobs in view current, for as long as somebody watches. */
export interface Watcher {
  connection: Pick<ConnectionState, "get" | "subscribe">;
  /** Ids of jobs that were over and have gone on since. */
  reopened: Pick<Emitter<string>, "subscribe">;
  /** Watches one job; returns a function that ends the watch silently. */
  watch(id: string, sink: JobSink): () => void;
  /** Watches the newest jobs, all or some; returns a function that ends the watch. */
  watchList(filter: JobFilter, listener: (snapshot: JobListSnapshot) => void): () => void;
  /** Takes in jobs that a one-shot call brought. */
  offer(jobs: readonly Job[]): void;
  /** Reads everything in view again. */
  resync(): void;
  /** Ends all watches with code `closed`, and those that begin later at once. */
  close(): void;
}

/** Makes the one {@link Watcher} of a client. Nothing is opened before the first watch. */
export const createWatcher = (ports: WatcherPorts): Watcher => {
  const { supabase, rest, runtime, poll, lifecycle, onProblem } = ports;
  const store = createJobStore();
  const watches = createJobWatches(store);
  const lists = createJobLists(store);
  const connection = createConnectionState();
  const isRestless = () => session.isRestless();
  const pace = createPace({ runtime, lifecycle, connection, poll, isBusy: store.isBusy, isRestless });
  const ends = createEnds();
  /** Whether anything came through the channel since the last reading of everything began. */
  let heard = true;
  /** Who is signed in; null: nobody; undefined: not known (yet), or nothing is watched. */
  let user: string | null | undefined;
  let running = false;
  let closed = false;
  let stopWaking = () => {};
  let cancelLinger: (() => void) | null = null;

  const show = (ids: string[]): void => {
    ends.note(ids.map(store.get));
    watches.show(ids);
    lists.show(ids);
    settle();
  };

  const read = async (everything: boolean, signal: AbortSignal): Promise<void> => {
    if (typeof user !== "string") return;
    const options = { signal };
    const wasHeard = heard;
    // Before the reading: what comes through while it is under way, such as a join, is part of what the next one can't tell.
    if (everything) heard = false;
    let news = false;
    const take = (jobs: readonly Job[]): string[] => {
      const changed = jobs.filter((job) => {
        const known = store.get(job.id) !== null;
        const applied = store.applyRow(job);
        news ||= known && applied;
        return applied;
      });
      return changed.map((job) => job.id);
    };
    const listed = new Set<string>();
    for (const filter of lists.takeDue(everything)) {
      const { data, error } = await rest.list(filter, options);
      if (signal.aborted || error) throw error ?? signal.reason;
      for (const job of data) {
        listed.add(job.id);
        store.add(job.id);
      }
      const changed = take(data);
      lists.applyRows(filter, data);
      show(changed);
    }
    const asked = everything ? watches.ids().filter((id) => !listed.has(id)) : store.stale();
    if (asked.length > 0) await readIds(asked, options, take);
    // What a joined channel should have told was found by looking: it is open, but silent, until the next message.
    const isSilent = everything && news && !wasHeard && !heard;
    if (isSilent && connection.get() === "live" && poll !== false) pace.lose();
  };

  const isOpen = (): boolean => watches.ids().length > 0 || lists.hasOpen();

  const readIds = async (
    asked: string[],
    options: { signal: AbortSignal },
    take: (jobs: readonly Job[]) => string[],
  ): Promise<void> => {
    const { data, error } = await rest.byIds(asked, options);
    if (options.signal.aborted || error) throw error ?? options.signal.reason;
    show(take(data));
    const found = new Set(data.map((job) => job.id));
    lists.forget(asked.filter((id) => !found.has(id)));
    watches.endMissing(asked, data);
    settle();
  };

  const refresher = createRefresher({
    runtime,
    read,
    hasStale: () => typeof user === "string" && (store.stale().length > 0 || lists.hasStale()),
    pollEveryMs: () => (typeof user === "string" && isOpen() ? pace.everyMs() : null),
    onProblem(error) {
      const problem = asPodbaseError(error);
      lists.fail(problem);
      onProblem(error);
      if (problem.status === 401) session.renew();
    },
  });

  const channel = createUserChannel({
    supabase,
    runtime,
    onProblem,
    quietMs: () => (isOpen() ? pace.quietMs() : null),
    onJoined() {
      heard = true;
      connection.set("live");
      refresher.everything();
    },
    onLost() {
      pace.lose();
      refresher.reconsider();
    },
    onFound() {
      connection.set("live");
      refresher.reconsider();
    },
    onMessage(payload) {
      heard = true;
      connection.set("live");
      if (!isJobMessage(payload)) return refresher.everything();
      lists.note({ id: payload.job, status: payload.status });
      show(store.applyMessage(payload) ? [payload.job] : []);
    },
  });

  const session = createSession({
    supabase,
    runtime,
    onProblem,
    onUser(next) {
      if (next === user) return;
      const left = typeof user === "string" || next === null;
      user = next;
      if (left) leave(signedOut());
      if (next === null) return;
      channel.open(next);
      refresher.everything();
    },
    onRenewed: () => refresher.retryNow(),
  });

  const leave = (error: PodbaseError): void => {
    channel.close();
    connection.set("connecting");
    refresher.reset();
    lists.clear(error);
    watches.endAll(error);
    settle();
  };

  const resync = (): void => {
    if (!running) return;
    session.hurry();
    channel.wake();
    refresher.anew();
  };

  /** For before a watch is added: throws where the app brings its own tokens. */
  const start = (): void => {
    cancelLinger?.();
    cancelLinger = null;
    if (running) return;
    session.start();
    running = true;
    stopWaking = lifecycle.onWake(resync);
  };

  const stop = (): void => {
    cancelLinger?.();
    cancelLinger = null;
    running = false;
    user = undefined;
    stopWaking();
    session.stop();
    channel.close();
    connection.set("connecting");
    refresher.reset();
  };

  /** After watches came or went: forget what nobody looks at, and wind down when nobody looks at all. */
  const settle = (): void => {
    const ids = new Set([...watches.ids(), ...lists.ids()]);
    store.keepOnly(ids);
    if (running && ids.size === 0 && lists.size() === 0) cancelLinger ??= runtime.after(LINGER_MS, stop);
    refresher.reconsider();
    channel.reconsider();
  };

  const refusal = (id: string): PodbaseError | null =>
    closed ? closedError() : user === null ? signedOut() : notAnId(id);

  return {
    connection,
    reopened: ends.reopened,
    watch(id, sink) {
      const error = refusal(id);
      if (error) return later(() => callListener(sink.end, error));
      start();
      const end = watches.add(id, sink);
      store.add(id);
      refresher.promptly();
      return () => {
        end();
        settle();
      };
    },
    watchList(filter, listener) {
      if (closed) return later(() => callListener(listener, { jobs: [], error: closedError() }));
      start();
      const end = lists.add(filter, listener);
      refresher.promptly();
      const tell = () => user === null && callListener(listener, { jobs: [], error: signedOut() });
      // Known since the watches before it, and so told to nobody again.
      const unsay = user === null ? runtime.after(TELL_MS, tell) : undefined;
      return () => {
        unsay?.();
        end();
        settle();
      };
    },
    offer(jobs) {
      for (const job of jobs) lists.note(job);
      ends.note(jobs);
      show(jobs.filter(store.applyRow).map((job) => job.id));
    },
    resync,
    close() {
      closed = true;
      const error = closedError();
      watches.endAll(error);
      lists.endAll(error);
      settle();
      stop();
    },
  };
};

const signedOut = () =>
  new PodbaseError("signed_out", "the user whose jobs were watched is not signed in any more");

const closedError = () => new PodbaseError("closed", "this Podbase client was closed");

/** Calls back after the current turn; returns a function that prevents it. */
const later = (callback: () => void): (() => void) => {
  let wanted = true;
  queueMicrotask(() => {
    if (wanted) callback();
  });
  return () => {
    wanted = false;
  };
};
