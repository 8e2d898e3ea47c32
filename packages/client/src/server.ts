/** Podbase on a server of yours: with a secret key, for any user, without a session or Realtime. */
import { planOf } from "@podbase/core";
import type { Subscription } from "./connection.ts";
import { createEmitter } from "./emitter.ts";
import { asPodbaseError, PodbaseError, type Result } from "./errors.ts";
import { fromRestError } from "./from-rest-error.ts";
import { type JobRow, toJob } from "./from-row.ts";
import { invalidInput } from "./invalid-input.ts";
import { notAnId } from "./job-id.ts";
import type { SignalOption } from "./job-iterable.ts";
import { backoff, type Runtime, systemRuntime } from "./runtime.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import { createToldEnds } from "./told-ends.ts";
import {
  type DefinitionOf,
  type InputOf,
  isTerminal,
  type Job,
  type JobCatalog,
  type JobOf,
  type KindOf,
} from "./types.ts";

const POLL_MS = 1_000;
const BACKOFF_CAP_MS = 30_000;
/** A look without an answer for so long has lost its connection; Node would wait for five minutes. */
const LOOK_MS = 30_000;
/** Jobs in one answer of the database. */
const JOBS_AT_ONCE = 1_000;

/** How a server's client behaves. */
export interface PodbaseServerOptions<Jobs extends JobCatalog> {
  /** The definitions themselves: here the server validates and plans what it submits. */
  jobs: Jobs;
  /** How often to look after followed jobs, all in one request, in milliseconds; a second if not given. */
  pollMs?: number;
  /** Told of trouble that is dealt with by trying again. For logs. */
  onProblem?(error: PodbaseError): void;
  /** Clock, timers and randomness, for tests. */
  runtime?: Runtime;
}

/** Whose job it is, and further wishes. */
export interface SubmitOptions {
  /** The user who owns the job and may watch it. */
  userId: string;
  /** Requests of one user with the same key and input are one job. At most 255 characters. */
  idempotencyKey?: string;
  /** -100 to 100; higher goes first among the user's equals. */
  priority?: number;
  /** Nothing of it starts before; at once if absent or past. */
  runAt?: Date;
}

/** What happens to followed jobs. `progress`: any change that is not the end. */
export type ServerEvent = "submitted" | "progress" | "completed" | "failed" | "canceled";

/** Podbase with a secret key. Jobs that were submitted or awaited here, or recovered, are followed to their ends. */
export interface PodbaseServer<Jobs extends JobCatalog> {
  /**
   * Submits a job for a user and wakes the engine.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `invalid_input` (with `issues` where the schema refuses it; also
   * for a user who does not exist or an option out of range), `unknown_job_kind`, `idempotency_conflict`,
   * `payload_too_large`, `rate_limited`, `quota_exceeded`, `unauthorized`, `network`, `server_error`, `not_installed`.
   */
  submit<Kind extends KindOf<Jobs>>(
    kind: Kind,
    input: InputOf<DefinitionOf<Jobs, Kind>>,
    options: SubmitOptions,
  ): Promise<Result<Job<DefinitionOf<Jobs, Kind>>>>;
  /**
   * Reads any job once; `data` is null if there is none of that id.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `unauthorized`, `network`, `server_error`, `not_installed`.
   */
  get(id: string): Promise<{ data: JobOf<Jobs> | null; error: null } | { data: null; error: PodbaseError }>;
  /**
   * Cancels any job, as its owner would.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `job_not_found`, `unauthorized`, `network`, `server_error`,
   * `not_installed`.
   */
  cancel(id: string): Promise<Result<JobOf<Jobs>>>;
  /**
   * Waits until a job has come to its end, however long it takes, and resolves to it: check its `status`.
   *
   * Rejects with `PodbaseError` when the wait ends otherwise: `job_not_found`, `closed`, `aborted`.
   */
  awaitResult(id: string, options?: SignalOption): Promise<JobOf<Jobs>>;
  /**
   * After a restart: follows every open job again, whoever submitted it, and returns them. Nothing was lost meanwhile,
   * since the engine does not need this process.
   *
   * Resolves to `{ data, error }` and does not throw. Codes: `unauthorized`, `network`, `server_error`, `not_installed`.
   */
  recoverAllPending(): Promise<Result<JobOf<Jobs>[]>>;
  /** Calls back with a followed job when it is submitted, changes, or ends. Each end is told once. */
  on(event: ServerEvent, listener: (job: JobOf<Jobs>) => void): Subscription;
  /** Ends all waits with code `closed` and follows nothing any more. The jobs go on. */
  close(): void;
}

/**
 * Makes a client for servers from a Supabase client with a secret key. Never ship that key to an app.
 *
 * @example
 * const podbase = createPodbaseServer(createClient(url, process.env.SUPABASE_SECRET_KEY), { jobs });
 */
export const createPodbaseServer = <Jobs extends JobCatalog>(
  supabase: AnySupabaseClient,
  { jobs, pollMs = POLL_MS, onProblem, runtime = systemRuntime }: PodbaseServerOptions<Jobs>,
): PodbaseServer<Jobs> => {
  /** Without an event where a wait hears of an end that was told before. */
  const events = createEmitter<{ event: ServerEvent | null; job: Job }>();
  const isNewEnd = createToldEnds();
  const gone = createEmitter<{ id: string | null; error: PodbaseError }>();
  /** Versions of the followed jobs; -1 for those that were not read yet. */
  const followed = new Map<string, number>();
  let cancelPoll: (() => void) | null = null;
  let failures = 0;
  let closed = false;

  const call = async <T>(name: string, args: object, signal?: AbortSignal): Promise<Result<T>> => {
    const query = supabase.schema("podbase").rpc(name, args);
    const { data, error, status } = await (signal ? query.abortSignal(signal) : query);
    return error ? { data: null, error: fromRestError(error, status) } : { data: data as T, error: null };
  };

  const find = async (filter: object, signal?: AbortSignal): Promise<Result<Job[]>> => {
    const args = { max_jobs: JOBS_AT_ONCE, ...filter };
    const { data, error } = await call<JobRow[]>("operator_find_jobs", args, signal);
    return error ? { data: null, error } : { data: data.map(toJob), error: null };
  };

  /** The next ids of open jobs, in their own order: jobs that come and go meanwhile leave no gap. */
  const openAfter = async (id: string | undefined): Promise<Result<string[]>> => {
    const jobs = supabase.schema("podbase").from("jobs").select("id").in("status", ["queued", "processing"]);
    const { data, error, status } = await (id === undefined ? jobs : jobs.gt("id", id))
      .order("id")
      .limit(JOBS_AT_ONCE);
    return error
      ? { data: null, error: fromRestError(error, status) }
      : { data: data.map((job) => job.id), error: null };
  };

  const note = (job: Job): void => {
    const before = followed.get(job.id);
    if (before === undefined || job.version <= before) return;
    followed.set(job.id, job.version);
    if (isTerminal(job)) followed.delete(job.id);
    if (isTerminal(job)) events.emit({ event: isNewEnd(job) ? job.status : null, job });
    else if (before >= 0) events.emit({ event: "progress", job });
  };

  const look = async (signal: AbortSignal): Promise<void> => {
    const ids = [...followed.keys()];
    for (let from = 0; from < ids.length; from += JOBS_AT_ONCE) {
      const asked = ids.slice(from, from + JOBS_AT_ONCE);
      const { data, error } = await find({ ids: asked }, signal);
      if (error) throw error;
      for (const job of data) note(job);
      const found = new Set(data.map(({ id }) => id));
      for (const id of asked.filter((one) => !found.has(one))) {
        followed.delete(id);
        gone.emit({ id, error: new PodbaseError("job_not_found", `there is no job ${id}`) });
      }
    }
  };

  const poll = (): void => {
    if (cancelPoll || closed || followed.size === 0) return;
    const pause = failures === 0 ? pollMs : backoff(runtime, failures, pollMs, BACKOFF_CAP_MS);
    cancelPoll = runtime.after(pause, async () => {
      const controller = new AbortController();
      const cancelTimeout = runtime.after(LOOK_MS, () => controller.abort());
      try {
        await look(controller.signal);
        failures = 0;
      } catch (error) {
        failures++;
        onProblem?.(asPodbaseError(error));
      }
      cancelTimeout();
      cancelPoll = null;
      poll();
    });
  };

  const follow = (id: string, version = -1): void => {
    if (!followed.has(id)) followed.set(id, version);
    poll();
  };

  const submit = async (
    kind: string,
    input: unknown,
    { userId, idempotencyKey = runtime.uniqueId(), priority, runAt }: SubmitOptions,
  ): Promise<Result<Job>> => {
    const definition = Object.values(jobs).find((one) => one.kind === kind);
    if (!definition)
      return { data: null, error: new PodbaseError("unknown_job_kind", `there is no job kind "${kind}"`) };
    const checked = await definition.input["~standard"].validate(input);
    if (checked.issues) return { data: null, error: invalidInput(checked.issues) };
    const request = {
      user: userId,
      kind,
      input: checked.value,
      idempotencyKey,
      // Many at once are always made anew.
      plan: { tasks: planOf(definition).tasks },
      ...(priority === undefined ? {} : { priority }),
      ...(runAt === undefined ? {} : { runAt: runAt.toISOString() }),
    };
    const made = await call<{ job: string; created: boolean }[]>("submit_jobs", { requests: [request] });
    if (made.error) return { data: null, error: made.error };
    const [first] = made.data;
    const { data, error } = await find({ ids: first ? [first.job] : [] });
    if (error) return { data: null, error };
    const [job] = data;
    if (!first || !job)
      return { data: null, error: new PodbaseError("unexpected", "submit_jobs made no job") };
    // The engine finds the job by itself within seconds; this only spares them, so nobody waits for it.
    supabase.functions.invoke("reconcile", { body: {} }).then(
      ({ error }) => error && onProblem?.(asPodbaseError(error)),
      (error) => onProblem?.(asPodbaseError(error)),
    );
    if (first.created) events.emit({ event: "submitted", job });
    // One may end as it is made, such as a map of nothing; its end is still to be told.
    if (!isTerminal(job)) follow(job.id, job.version);
    else if (first.created) follow(job.id);
    return { data: job, error: null };
  };

  const awaitResult = (id: string, { signal }: SignalOption = {}): Promise<Job> =>
    new Promise((resolve, reject) => {
      const refusal = closed ? new PodbaseError("closed", "this Podbase client was closed") : notAnId(id);
      if (refusal) return reject(refusal);
      const settle = (finish: () => void): void => {
        ends.unsubscribe();
        losses.unsubscribe();
        signal?.removeEventListener("abort", abandon);
        finish();
      };
      const abandon = (): void =>
        settle(() =>
          reject(
            new PodbaseError("aborted", "the wait for the result was aborted", { cause: signal?.reason }),
          ),
        );
      const ends = events.subscribe(({ job }) => {
        if (job.id === id && isTerminal(job)) settle(() => resolve(job));
      });
      const losses = gone.subscribe((loss) => {
        if (loss.id === id || loss.id === null) settle(() => reject(loss.error));
      });
      if (signal?.aborted) return abandon();
      signal?.addEventListener("abort", abandon, { once: true });
      follow(id);
    });

  const server = {
    submit,
    async get(id: string) {
      const { data, error } = await find({ ids: notAnId(id) ? [] : [id] });
      return error ? { data: null, error } : { data: data[0] ?? null, error: null };
    },
    async cancel(id: string) {
      const refusal = notAnId(id);
      if (refusal) return { data: null, error: refusal };
      const { data, error } = await call<JobRow>("operator_cancel_job", { job_id: id });
      return error ? { data: null, error } : { data: toJob(data), error: null };
    },
    awaitResult,
    async recoverAllPending() {
      const pending: Job[] = [];
      for (let last: string | undefined; ; ) {
        const open = await openAfter(last);
        if (open.error) return open;
        last = open.data.at(-1);
        if (last === undefined) break;
        const { data, error } = await find({ ids: open.data });
        if (error) return { data: null, error };
        pending.push(...data.filter((job) => !isTerminal(job)));
      }
      for (const job of pending) follow(job.id, job.version);
      return { data: pending, error: null };
    },
    on: (event: ServerEvent, listener: (job: Job) => void) =>
      events.subscribe((happened) => happened.event === event && listener(happened.job)),
    close() {
      closed = true;
      cancelPoll?.();
      followed.clear();
      gone.emit({ id: null, error: new PodbaseError("closed", "this Podbase client was closed") });
    },
  };
  // At run time the jobs of all servers are alike.
  return server as unknown as PodbaseServer<Jobs>;
};
