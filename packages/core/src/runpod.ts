import {
  type ProviderJob,
  providerHealth,
  providerJob,
  type QueueCounts,
  type SubmissionResult,
  type WorkerCounts,
} from "./contracts.ts";
import { Pauses } from "./pauses.ts";
import type { Clock } from "./ports.ts";
import { withoutSecrets } from "./redact.ts";

/** RunPod's job API; not the management API of the same version number (docs.runpod.io). */
export const RUNPOD_BASE_URL = "https://api.runpod.ai/v2";

/** Body of `/run`. Times in ms. */
export interface RunRequest {
  input: Record<string, unknown>;
  webhook: string;
  policy: { executionTimeout: number; ttl: number };
}

/** RunPod's answer to a look-up, or why there is none. */
export type Lookup = { kind: "job"; job: ProviderJob } | { kind: "not_found" } | Unavailable;

/** No answer that says anything. Never a sign that a job is lost. */
export interface Unavailable {
  kind: "unavailable";
  /** HTTP status; null without an answer, or without a call because RunPod asked to wait. */
  status: number | null;
  message: string;
  /** How long RunPod wants to be left alone, in ms. */
  retryAfterMs?: number;
  /** It refused our keys: all of them are wrong, or none of them sees the endpoint. */
  refused?: true;
}

/** What `/health` says, as far as it says it. */
export type Health = { kind: "health"; workers: WorkerCounts; jobs: QueueCounts } | Unavailable;

/** The part of a submission's outcome that RunPod's answer decides. */
export type RunOutcome = Omit<SubmissionResult, "attempt">;

/** What a {@link RunPod} client needs to know. */
export interface RunPodOptions {
  apiKey: string;
  /** The key that follows it. While keys are changed, whichever RunPod takes is used. */
  nextApiKey?: string;
  /** Another address, such as the simulator's. */
  baseUrl?: string;
  fetch?: typeof globalThis.fetch;
  /** Limit of one call in ms, well under the 150 s that an Edge Function may idle. */
  timeoutMs?: number;
  clock?: Clock;
}

/** An answer, read to its end; `text` is null when it broke off. */
interface Answer {
  status: number;
  text: string | null;
  headers: Headers;
}

type Operation = "run" | "status" | "cancel" | "health";

/**
 * RunPod's Serverless job API on plain `fetch`: the vendor's SDK gives up on a `/run` after 3 s, job made or not. Leaves
 * an operation of an endpoint alone for as long as RunPod asks for, and knows two keys, so that one can be changed
 * without a gap. No method throws.
 */
export class RunPod {
  readonly #options: Required<Omit<RunPodOptions, "apiKey" | "nextApiKey">>;
  readonly #pauses: Pauses;
  /** The one that worked last comes first. */
  #keys: string[];

  constructor({ apiKey, nextApiKey, ...options }: RunPodOptions) {
    this.#options = {
      baseUrl: RUNPOD_BASE_URL,
      // Bound, because browsers and Deno refuse a fetch that lost its global.
      fetch: globalThis.fetch.bind(globalThis),
      timeoutMs: 15_000,
      clock: Date,
      ...options,
    };
    this.#pauses = new Pauses(this.#options.clock);
    this.#keys = nextApiKey && nextApiKey !== apiKey ? [apiKey, nextApiKey] : [apiKey];
  }

  /**
   * Submits a job, once: RunPod has no idempotency key, so nothing here repeats a POST but one that was refused for its
   * key. An answer that isn't clear is `unknown`, because the job may exist and be paid for.
   */
  async run(endpointId: string, request: RunRequest): Promise<RunOutcome> {
    const pause = this.#pauses.left(`run ${endpointId}`);
    if (pause > 0) {
      return {
        outcome: "not_sent",
        class: "rate_limited",
        error: "RunPod asked to wait",
        retryAfterMs: pause,
      };
    }
    let answer: Answer;
    try {
      answer = await this.#call("POST", "run", endpointId, "", { body: request });
    } catch (error) {
      const message = describe(error);
      return certainlyNotSent(error)
        ? { outcome: "not_sent", class: "transient_network", error: message }
        : { outcome: "unknown", error: message };
    }
    const { status, text } = answer;
    if (status < 300 && text !== null) {
      const job = providerJob.safeParse(parse(text));
      if (job.success && job.data.id) return { outcome: "accepted", providerId: job.data.id };
      return { outcome: "unknown", error: `RunPod answered ${status} without a job id` };
    }
    const error = `RunPod answered ${status}: ${withoutSecrets((text ?? "").slice(0, 500))}`;
    switch (status) {
      case 400:
      case 413:
      case 422:
        return { outcome: "rejected", class: "bad_input", error };
      case 401:
      case 402:
      case 403:
        return { outcome: "rejected", class: "auth", error };
      case 404:
        return { outcome: "rejected", class: "unknown_endpoint", error };
      case 429:
        return {
          outcome: "rejected",
          class: "rate_limited",
          error,
          retryAfterMs: this.#pauses.left(`run ${endpointId}`),
        };
      default:
        return { outcome: "unknown", error };
    }
  }

  /** Looks a job up with `/status`. A big answer is not read to its end before `room` has resolved. */
  async status(endpointId: string, jobId: string, room?: () => Promise<void>): Promise<Lookup> {
    return this.#lookup("GET", "status", endpointId, jobId, room);
  }

  /** Asks RunPod to cancel a job. `not_found` means that there is nothing left to cancel. */
  async cancel(endpointId: string, jobId: string): Promise<Lookup> {
    return this.#lookup("POST", "cancel", endpointId, jobId);
  }

  /** The workers and the queue of an endpoint. */
  async health(endpointId: string): Promise<Health> {
    const answer = await this.#ask("GET", "health", endpointId, "");
    if ("kind" in answer) return answer;
    const health = providerHealth.safeParse(parse(answer.text ?? ""));
    return answer.status < 300 && health.success
      ? { kind: "health", ...health.data }
      : this.#unavailable("health", endpointId, answer);
  }

  async #lookup(
    method: "GET" | "POST",
    operation: Operation,
    endpointId: string,
    jobId: string,
    room?: () => Promise<void>,
  ): Promise<Lookup> {
    const answer = await this.#ask(method, operation, endpointId, `/${encodeURIComponent(jobId)}`, room);
    if ("kind" in answer) return answer;
    // A 404 for the endpoint says nothing about the job: the key may have been rotated.
    if (answer.status === 404 && answer.text !== null && !keyWasRefused(answer) && !isPage(answer))
      return { kind: "not_found" };
    const job = providerJob.safeParse(parse(answer.text ?? ""));
    return answer.status < 300 && job.success
      ? { kind: "job", job: job.data }
      : this.#unavailable(operation, endpointId, answer);
  }

  /** A call that only asks: neither thrown nor made while RunPod wants to be left alone. */
  async #ask(
    method: "GET" | "POST",
    operation: Operation,
    endpointId: string,
    rest: string,
    room?: () => Promise<void>,
  ): Promise<Answer | Unavailable> {
    const pause = this.#pauses.left(`${operation} ${endpointId}`);
    if (pause > 0) {
      return { kind: "unavailable", status: null, message: "RunPod asked to wait", retryAfterMs: pause };
    }
    try {
      return await this.#call(method, operation, endpointId, rest, { room });
    } catch (error) {
      return { kind: "unavailable", status: null, message: describe(error) };
    }
  }

  #unavailable(operation: Operation, endpointId: string, answer: Answer): Unavailable {
    const pause = this.#pauses.left(`${operation} ${endpointId}`);
    return {
      kind: "unavailable",
      status: answer.status,
      message: (answer.text ?? "the answer broke off").slice(0, 500),
      ...(pause > 0 ? { retryAfterMs: pause } : {}),
      ...(keyWasRefused(answer) ? { refused: true } : {}),
    };
  }

  /** Calls with the key that worked last and, if that is refused, with the other. Throws what `fetch` throws. */
  async #call(
    method: "GET" | "POST",
    operation: Operation,
    endpointId: string,
    rest: string,
    { body, room }: { body?: unknown; room?: (() => Promise<void>) | undefined },
  ): Promise<Answer> {
    let answer: Answer | undefined;
    for (const key of [...this.#keys]) {
      const response = await this.#options.fetch(
        `${this.#options.baseUrl}/${endpointId}/${operation}${rest}`,
        {
          method,
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          signal: AbortSignal.timeout(this.#options.timeoutMs),
          // What stands elsewhere, mostly a page or a 404, says nothing about a job.
          redirect: "manual",
          // As a blob, which goes out as a stream: Deno's fetch posts a text again when a kept connection breaks, though
          // the first may have arrived (denoland/deno, ext/fetch; hyper's client retries what it can clone).
          ...(body === undefined ? {} : { body: new Blob([JSON.stringify(body)]) }),
        },
      );
      const text = await readText(response, room).catch(() => null);
      answer = { status: response.status, text, headers: response.headers };
      if (keyWasRefused(answer)) continue;
      if (key !== this.#keys[0]) this.#keys = [key, ...this.#keys.filter((other) => other !== key)];
      break;
    }
    const last = answer as Answer;
    this.#pauses.heed(`${operation} ${endpointId}`, last.status, last.headers);
    return last;
  }
}

/** Whether an answer is about the key: RunPod hides endpoints from keys that may not see them. */
const keyWasRefused = ({ status, text }: Answer): boolean =>
  status === 401 || status === 403 || (status === 404 && /endpoint not found/i.test(text ?? ""));

/** Whether it is a web page: of what stands before RunPod's API, which knows no job. */
const isPage = ({ headers }: Answer): boolean => /^text\/html\b/i.test(headers.get("content-type") ?? "");

/** Bytes of an answer that are read before it counts as big: most say little, and rarely how much. */
const SMALL_BYTES = 100_000;

/** Reads an answer, what is beyond {@link SMALL_BYTES} of it once `room` has resolved. */
async function readText(response: Response, room: () => Promise<void> = async () => {}): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (bytes <= SMALL_BYTES && bytes + chunk.length > SMALL_BYTES) await room();
    bytes += chunk.length;
  }
  return text + decoder.decode();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${error instanceof Error ? error.message : String(error)}${cause}`.slice(0, 500);
}

/** Name not resolved or connection refused: no byte of the request has left. Node has a code, Deno only words. */
function certainlyNotSent(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
  if (cause?.code === "ECONNREFUSED" || cause?.code === "ENOTFOUND") return true;
  return /connection refused|dns error|failed to lookup/i.test(describe(error));
}
