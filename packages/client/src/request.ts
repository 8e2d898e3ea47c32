import type { ErrorCode } from "@podbase/core";
import { currentUser } from "./current-user.ts";
import { codeOfStatus, type Issue, PodbaseError, type PodbaseErrorCode, type Result } from "./errors.ts";
import { type JobRow, toJob } from "./from-row.ts";
import { backoff, type Runtime } from "./runtime.ts";
import { patience, pause, type SoonPorts } from "./soon.ts";
import type { AnySupabaseClient } from "./supabase.ts";
import type { Job } from "./types.ts";

const TRIES = 4;
const BACKOFF_BASE_MS = 1_000;
const BACKOFF_CAP_MS = 8_000;
/** A server that asks for a longer pause than this gets it from the caller, who can tell the user meanwhile. */
const RETRY_AFTER_CAP_MS = 30_000;
/** Per try. The function answers in a second or two; beyond this the connection is gone. */
const TIMEOUT_MS = 30_000;

/** Codes of `request-job`'s answers that are codes of ours too. */
const CODES: ReadonlySet<string> = new Set<ErrorCode & PodbaseErrorCode>([
  "invalid_input",
  "unauthorized",
  "unknown_job_kind",
  "idempotency_conflict",
  "payload_too_large",
  "rate_limited",
  "quota_exceeded",
]);

/** What it takes to ask `request-job`. */
export interface RequestPorts extends SoonPorts {
  supabase: AnySupabaseClient;
}

/** What `request-job` takes. */
export interface JobRequest {
  kind: string;
  input: unknown;
  idempotencyKey: string;
  /** Whose it is, if not of whoever is signed in at the first try. */
  userId?: string;
}

/** A job that `requestMany` made, or that its key had made before. */
export interface RequestedJob {
  id: string;
  created: boolean;
}

/**
 * Requests a job through the Edge Function `request-job`. Because of the idempotency key the same request may be sent
 * any number of times, so what fails on the way (no answer, 408, 429, 5xx) is sent again a few times, with back-off or
 * when `Retry-After` says, as long as nobody else has signed in meanwhile (code `signed_out`). At once when the app wakes.
 */
export const requestJob = (ports: RequestPorts, { userId, ...request }: JobRequest): Promise<Result<Job>> =>
  post(ports, request, ({ job }) => job && toJob(job), userId);

/** The same for many jobs in one call, all or none; each has a key, so that they may be sent again together. */
export const requestJobs = (
  ports: RequestPorts,
  jobs: readonly Omit<JobRequest, "userId">[],
): Promise<Result<RequestedJob[]>> =>
  post(ports, { jobs }, (answer) => answer.jobs?.map(({ jobId, created }) => ({ id: jobId, created })));

/** What `request-job` answers, to one job or to many. */
interface Answer {
  job?: JobRow;
  jobs?: { jobId: string; created: boolean }[];
}

/** Posts until there is an answer that counts. `read` gives what is wanted of it, or undefined if it isn't there. */
const post = async <T>(
  ports: RequestPorts,
  body: object,
  read: (answer: Answer) => T | undefined,
  userId?: string,
): Promise<Result<T>> => {
  const { supabase, runtime } = ports;
  const user = userId ?? (await currentUser(supabase));
  for (let attempt = 0; ; ) {
    const now = await currentUser(supabase);
    if (user !== null && now !== null && now !== user) {
      return { data: null, error: new PodbaseError("signed_out", "somebody else has signed in meanwhile") };
    }
    const { answer, error, retryAfterMs, woken } = await send(ports, body);
    const data = answer && read(answer);
    if (data !== undefined) return { data, error: null };
    if (!error)
      return { data: null, error: new PodbaseError("unexpected", "request-job answered without a job") };
    if (woken) continue;
    const pauseMs = retryAfterMs ?? backoff(runtime, attempt, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
    if (!error.retryable || ++attempt >= TRIES || pauseMs > RETRY_AFTER_CAP_MS) return { data: null, error };
    if (retryAfterMs === null) await pause(ports, pauseMs);
    else await new Promise<void>((resolve) => void runtime.after(pauseMs, resolve));
  }
};

type Outcome =
  | { answer: Answer; error?: never; retryAfterMs?: never; woken?: never }
  /** `woken`: it was given up because the app woke, so it tells nothing of the network as it is now. */
  | { answer?: never; error: PodbaseError; retryAfterMs: number | null; woken?: boolean };

const send = async (ports: RequestPorts, body: object): Promise<Outcome> => {
  const { supabase, runtime } = ports;
  const controller = new AbortController();
  let woken = false;
  const end = patience(ports, TIMEOUT_MS, (awake) => {
    woken = awake;
    controller.abort();
  });
  try {
    const { data, error } = await supabase.functions.invoke<Answer>("request-job", {
      body,
      signal: controller.signal,
    });
    if (!error) return { answer: data ?? {} };
    const response: Response | undefined = error.context instanceof Response ? error.context : undefined;
    if (response)
      return { error: await fromResponse(response, error), retryAfterMs: retryAfter(response, runtime) };
    return {
      error: new PodbaseError("network", `request-job could not be reached: ${error.message}`, {
        cause: error,
      }),
      retryAfterMs: null,
      woken,
    };
  } finally {
    end();
  }
};

const fromResponse = async (response: Response, cause: unknown): Promise<PodbaseError> => {
  const { status } = response;
  const said = await bodyOf(response);
  const { code = "", message, issues } = said?.error ?? {};
  const details = { status, cause, ...(issues && { issues }) };
  if (CODES.has(code)) return new PodbaseError(code as PodbaseErrorCode, message ?? code, details);
  if (status === 404)
    return new PodbaseError("not_installed", "Edge Function request-job is not deployed", details);
  return new PodbaseError(codeOfStatus(status), message ?? `request-job answered ${status}`, details);
};

interface ErrorBody {
  error?: { code?: string; message?: string; issues?: Issue[] };
}

/** The error body of our own function; null for those of gateways and proxies, which may be anything. */
const bodyOf = async (response: Response): Promise<ErrorBody | null> => {
  try {
    const body = JSON.parse(await response.text());
    return typeof body?.error === "object" ? body : null;
  } catch {
    return null;
  }
};

/** Milliseconds that the header asks for: seconds or a date (RFC 9110 §10.2.3). */
const retryAfter = (response: Response, runtime: Runtime): number | null => {
  const header = response.headers.get("retry-after");
  if (!header) return null;
  const seconds = Number(header);
  const pause = Number.isNaN(seconds) ? Date.parse(header) - runtime.now() : seconds * 1_000;
  return Number.isNaN(pause) ? null : Math.max(0, pause);
};
