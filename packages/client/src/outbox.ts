import type { Subscription } from "./connection.ts";
import { currentUser } from "./current-user.ts";
import { createEmitter } from "./emitter.ts";
import { PodbaseError, type PodbaseErrorCode, type Result } from "./errors.ts";
import type { RequestOptions } from "./jobs-api.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { OutboxStore, QueuedRequest } from "./outbox-store.ts";
import { backoff, type Runtime } from "./runtime.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import type { DefinitionOf, InputOf, Job, JobCatalog, JobOf, KindOf, UntypedCatalog } from "./types.ts";

const BACKOFF_BASE_MS = 2_000;
const BACKOFF_CAP_MS = 60_000;
/** Beside what is worth repeating anyway: what another session or a deploy heals. */
const KEPT: ReadonlySet<PodbaseErrorCode> = new Set(["unauthorized", "signed_out", "not_installed"]);

/** What became of a queued request. */
export type Delivery<J = Job> =
  | { request: QueuedRequest; job: J; error: null }
  /** The server refused it for good; it is not in the queue any more. */
  | { request: QueuedRequest; job: null; error: PodbaseError };

/**
 * Requests that outlive bad networks and restarts. Each has its idempotency key before it is first sent, so that it makes
 * one job however often it is sent. Kept per user and sent only as that user, oldest first.
 */
export interface Outbox<Jobs extends JobCatalog> {
  /**
   * Queues a request and sends it as soon as that works.
   *
   * Resolves to `{ data, error }` once it is stored. Codes: `signed_out`, `unexpected` (the storage failed).
   */
  add<Kind extends KindOf<Jobs>>(
    kind: Kind,
    input: InputOf<DefinitionOf<Jobs, Kind>>,
    options?: RequestOptions,
  ): Promise<Result<QueuedRequest>>;
  /** The signed-in user's requests that are not sent yet, oldest first. Throws what the storage throws. */
  list(): Promise<QueuedRequest[]>;
  /** Takes a request back that is not sent yet. Throws what the storage throws. */
  remove(idempotencyKey: string): Promise<void>;
  /**
   * Sends what is queued, now and again whenever the network may be back, until `close()`. Call it when the app starts, to
   * go on with what the last run left.
   */
  start(): void;
  /** Calls back with the queue of the signed-in user at each change; once started, also when another one signs in. */
  onChange(listener: (requests: QueuedRequest[]) => void): Subscription;
  /** Calls back when a request of the signed-in user became a job, or was refused. */
  onDelivery(listener: (delivery: Delivery<JobOf<Jobs>>) => void): Subscription;
}

/** What {@link createOutbox} needs. */
export interface OutboxPorts {
  supabase: AnySupabaseClient;
  runtime: Runtime;
  lifecycle: Lifecycle;
  store: OutboxStore;
  /** Sends one request, with a few tries. */
  send(request: QueuedRequest, userId: string): Promise<Result<Job>>;
  onProblem(error: unknown): void;
}

/** Makes the outbox of a client; the second of the two ends it. */
export const createOutbox = (ports: OutboxPorts): [Outbox<UntypedCatalog>, () => void] => {
  const { supabase, runtime, lifecycle, store, send, onProblem } = ports;
  const changes = createEmitter<QueuedRequest[]>();
  const deliveries = createEmitter<Delivery>();
  let stopWaking: (() => void) | null = null;
  let cancelRetry = () => {};
  let sending = false;
  let again = false;
  let failures = 0;
  /** Whether what was sent last was refused for its token. */
  let unauthorized = false;
  /** Whose queue was handed out last; undefined before the first. */
  let shownTo: string | null | undefined;
  /** That queue, as text. */
  let shown = "[]";

  const userId = () => currentUser(supabase);

  /** Tells of a user's queue if it is another than before: another tab may have sent or added some of it. */
  const tell = (user: string | null, requests: QueuedRequest[]): void => {
    const before = shown;
    shownTo = user;
    shown = JSON.stringify(requests);
    if (shown !== before) changes.emit(requests);
  };

  const look = async (): Promise<[string | null, QueuedRequest[]]> => {
    const user = await userId();
    const requests = user === null ? [] : await store.read(user);
    tell(user, requests);
    return [user, requests];
  };

  const lookAgain = (): void => {
    look().catch(onProblem);
  };

  /** Changes a user's queue; nobody else hears of it. True if the user is still there. */
  const change = async (
    user: string,
    how: (requests: QueuedRequest[]) => QueuedRequest[],
  ): Promise<boolean> => {
    const requests = await store.change(user, how);
    const present = (await userId()) === user;
    if (present) tell(user, requests);
    return present;
  };

  const take = (user: string, idempotencyKey: string): Promise<boolean> =>
    change(user, (all) => all.filter((each) => each.idempotencyKey !== idempotencyKey));

  /** Sends the oldest until none is left; false if one has to wait. */
  const sendAll = async (): Promise<boolean> => {
    for (;;) {
      const [user, [request]] = await look();
      if (user === null || request === undefined) return true;
      const { data: job, error } = await send(request, user);
      unauthorized = error?.code === "unauthorized";
      if (error && (error.retryable || KEPT.has(error.code))) return false;
      const present = await take(user, request.idempotencyKey);
      failures = 0;
      if (!present) continue;
      deliveries.emit(error ? { request, job: null, error } : { request, job, error: null });
    }
  };

  const flush = async (): Promise<void> => {
    cancelRetry();
    again = sending;
    if (sending || !stopWaking) return;
    sending = true;
    const done = await sendAll().catch((error: unknown) => {
      onProblem(error);
      return false;
    });
    sending = false;
    if (!stopWaking) return;
    if (again) void flush();
    else if (!done) {
      const pause = backoff(runtime, failures++, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
      cancelRetry = runtime.after(pause, () => void flush());
    }
  };

  const start = (): void => {
    if (stopWaking) return;
    const stopLifecycle = lifecycle.onWake(() => {
      failures = 0;
      void flush();
    });
    const { data } = supabase.auth.onAuthStateChange((event, session) => {
      if (!session && event !== "SIGNED_OUT") return;
      const user = session?.user.id ?? null;
      if (user !== shownTo && shownTo !== undefined) lookAgain();
      // With a clock that is ahead each sending renews the token: then this would never end.
      if (event === "SIGNED_IN" || (event === "TOKEN_REFRESHED" && unauthorized && !sending)) void flush();
    });
    // Only other tabs' writes are told, and only by localStorage.
    globalThis.addEventListener?.("storage", lookAgain);
    stopWaking = () => {
      stopLifecycle();
      globalThis.removeEventListener?.("storage", lookAgain);
      data.subscription.unsubscribe();
    };
    void flush();
  };

  const add = async (
    kind: string,
    input: unknown,
    { idempotencyKey = runtime.uniqueId() }: RequestOptions = {},
  ): Promise<Result<QueuedRequest>> => {
    const request: QueuedRequest = { kind, input, idempotencyKey, queuedAt: runtime.now() };
    try {
      const user = await userId();
      if (user === null)
        return { data: null, error: new PodbaseError("signed_out", "sign in before requesting") };
      await change(user, (all) =>
        all.some((each) => each.idempotencyKey === idempotencyKey) ? all : [...all, request],
      );
    } catch (cause) {
      return {
        data: null,
        error: new PodbaseError("unexpected", "the request could not be stored", { cause }),
      };
    }
    start();
    void flush();
    return { data: request, error: null };
  };

  return [
    {
      add: add as Outbox<UntypedCatalog>["add"],
      list: async () => (await look())[1],
      async remove(idempotencyKey) {
        const user = await userId();
        if (user !== null) await take(user, idempotencyKey);
      },
      start,
      onChange: changes.subscribe,
      onDelivery: deliveries.subscribe,
    },
    () => {
      stopWaking?.();
      stopWaking = null;
      cancelRetry();
    },
  ];
};
