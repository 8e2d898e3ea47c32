import { type ArtifactsApi, createArtifacts } from "./artifacts.ts";
import type { Connection, Subscription } from "./connection.ts";
import { asPodbaseError, type PodbaseError } from "./errors.ts";
import { createJobs } from "./jobs.ts";
import type { JobsApi } from "./jobs-api.ts";
import { browserLifecycle, type Lifecycle } from "./lifecycle.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createOutboxStore, defaultStorage, type OutboxStorage } from "./outbox-store.ts";
import type { PollPace } from "./pace.ts";
import { requestJob } from "./request.ts";
import { createRest } from "./rest.ts";
import { type Runtime, systemRuntime } from "./runtime.ts";
import { createServerClock } from "./server-clock.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import type { JobCatalog, UntypedCatalog } from "./types.ts";
import { createWatcher } from "./watcher.ts";

/** How a client behaves; everything has a default. */
export interface PodbaseOptions {
  /**
   * How often to ask for changes while a watched job is open, beside Realtime, in milliseconds.
   * Default `{ joinedMs: 15_000, unjoinedMs: 3_000 }`; for ten seconds after
   * Realtime was lost, every second. `false`: never, which trusts Realtime with everything.
   */
  poll?: Partial<PollPace> | false;
  /** Where the outbox keeps requests that are not sent yet; localStorage if there is one, else memory. */
  storage?: OutboxStorage;
  /** Told of trouble that the client deals with by itself (lost connections, failed readings). For logs, not for users. */
  onProblem?(error: PodbaseError): void;
  /** How the client learns that the app sleeps and wakes; the page's own events if not given. */
  lifecycle?: Lifecycle;
  /** Clock, timers and randomness, for tests. */
  runtime?: Runtime;
}

/** A client for the jobs of whoever is signed in at the Supabase client it was made with. */
export interface Podbase<Jobs extends JobCatalog = UntypedCatalog> {
  readonly jobs: JobsApi<Jobs>;
  readonly artifacts: ArtifactsApi;
  /** Requests that wait for the network. */
  readonly outbox: Outbox<Jobs>;
  /** How changes of watched jobs arrive at this moment. */
  readonly connection: Connection;
  /** Calls back with each change of `connection`. */
  onConnection(listener: (connection: Connection) => void): Subscription;
  /** Calls back whenever the app may have slept: shown again, online again; as its `lifecycle` says. */
  onWake(listener: () => void): Subscription;
  /**
   * The server's time, in milliseconds since the epoch, for spans from and to the times in jobs and estimates: the device's
   * clock may be hours off. It is the device's own until the first estimate was read.
   */
  now(): number;
  /**
   * Reads all watched jobs again, now. Browsers need no call: the client listens to `visibilitychange`, `online` and
   * `pageshow`. In React Native hand in a `lifecycle`, or call it when AppState becomes `active`.
   */
  resync(): void;
  /** Ends all watches with code `closed`, stops sending what is queued and leaves the Realtime topic. The Supabase client stays open. */
  close(): void;
}

/**
 * Makes a client on top of a Supabase client, which brings address, key and session. Make one per Supabase client and
 * keep it, as they share one Realtime channel. The type argument, the record of your job definitions, is all it needs
 * to know of them: no definition and no schema library ends up in the app. Nothing is sent before the first call.
 *
 * Supabase clients made with the `accessToken` option can request and read, but not watch: without `supabase.auth`
 * nobody can tell whose topic to join.
 *
 * @example
 * import type { jobs } from "../supabase/functions/_shared/jobs.ts";
 * const podbase = createPodbase<typeof jobs>(supabase);
 */
export const createPodbase = <Jobs extends JobCatalog = UntypedCatalog>(
  supabase: AnySupabaseClient,
  options: PodbaseOptions = {},
): Podbase<Jobs> => {
  const { poll = {}, lifecycle = browserLifecycle, storage, onProblem, runtime = systemRuntime } = options;
  const report = (error: unknown): void => onProblem?.(asPodbaseError(error));
  const ports = { supabase, runtime, lifecycle };
  const rest = createRest(supabase);
  const clock = createServerClock(runtime);
  const watcher = createWatcher({
    ...ports,
    rest,
    poll: poll && { joinedMs: 15_000, unjoinedMs: 3_000, ...poll },
    onProblem: report,
  });
  const [outbox, closeOutbox] = createOutbox({
    ...ports,
    store: createOutboxStore(storage ?? defaultStorage()),
    async send({ kind, input, idempotencyKey }, userId) {
      const result = await requestJob(ports, { kind, input, idempotencyKey, userId });
      if (result.data) watcher.offer([result.data]);
      return result;
    },
    onProblem: report,
  });
  return {
    // At run time the jobs of all apps are alike.
    jobs: createJobs({ ...ports, rest, watcher, clock }) as unknown as JobsApi<Jobs>,
    artifacts: createArtifacts(supabase, runtime),
    outbox: outbox as unknown as Outbox<Jobs>,
    get connection() {
      return watcher.connection.get();
    },
    onConnection: watcher.connection.subscribe,
    onWake: (listener) => ({ unsubscribe: lifecycle.onWake(listener) }),
    now: clock.now,
    resync: watcher.resync,
    close() {
      closeOutbox();
      watcher.close();
    },
  };
};
