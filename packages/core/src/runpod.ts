import { type ProviderJob, providerJob, type SubmissionResult } from "./contracts.ts";

/** RunPod's job API; not the management API of the same version number (docs.runpod.io). */
export const RUNPOD_BASE_URL = "https://api.runpod.ai/v2";

/** Body of `/run`. Times in ms. */
export interface RunRequest {
  input: Record<string, unknown>;
  webhook: string;
  policy: { executionTimeout: number; ttl: number };
}

/** RunPod's answer to a look-up, or why there is none. */
export type Lookup =
  | { kind: "job"; job: ProviderJob }
  | { kind: "not_found" }
  | { kind: "unavailable"; status: number | null; message: string };

/** The part of a submission's outcome that RunPod's answer decides. */
export type RunOutcome = Omit<SubmissionResult, "attempt">;

export interface RunPodOptions {
  apiKey: string;
  /** Another address, such as the simulator's. */
  baseUrl?: string;
  fetch?: typeof globalThis.fetch;
  /** Limit of one call in ms, well under the 150 s that an Edge Function may idle. */
  timeoutMs?: number;
}

/** RunPod's Serverless job API on plain `fetch`: the vendor's SDK gives up on a `/run` after 3 s, job made or not. */
export class RunPod {
  readonly #options: Required<RunPodOptions>;

  constructor(options: RunPodOptions) {
    this.#options = {
      baseUrl: RUNPOD_BASE_URL,
      // Bound, because browsers and Deno refuse a fetch that lost its global.
      fetch: globalThis.fetch.bind(globalThis),
      timeoutMs: 15_000,
      ...options,
    };
  }

  /**
   * Submits a job, once: RunPod has no idempotency key, so nothing here repeats a POST. Never throws; an answer that
   * isn't clear is `unknown`, because the job may exist and be paid for.
   */
  async run(endpointId: string, request: RunRequest): Promise<RunOutcome> {
    let response: Response;
    try {
      response = await this.#call("POST", `${endpointId}/run`, request);
    } catch (error) {
      const message = describe(error);
      return certainlyNotSent(error)
        ? { outcome: "not_sent", class: "transient_network", error: message }
        : { outcome: "unknown", error: message };
    }
    const text = await response.text().catch(() => null);
    if (response.ok && text !== null) {
      const job = providerJob.safeParse(parse(text));
      if (job.success && job.data.id) return { outcome: "accepted", providerId: job.data.id };
      return { outcome: "unknown", error: `RunPod answered ${response.status} without a job id` };
    }
    const error = `RunPod answered ${response.status}: ${(text ?? "").slice(0, 500)}`;
    switch (response.status) {
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
        return { outcome: "rejected", class: "rate_limited", error, ...retryAfter(response) };
      default:
        return { outcome: "unknown", error };
    }
  }

  /** Looks a job up with `/status`. Never throws. */
  async status(endpointId: string, jobId: string): Promise<Lookup> {
    return this.#lookup("GET", `${endpointId}/status/${encodeURIComponent(jobId)}`);
  }

  /** Asks RunPod to cancel a job. Never throws; `not_found` means that there is nothing left to cancel. */
  async cancel(endpointId: string, jobId: string): Promise<Lookup> {
    return this.#lookup("POST", `${endpointId}/cancel/${encodeURIComponent(jobId)}`);
  }

  async #lookup(method: "GET" | "POST", path: string): Promise<Lookup> {
    try {
      const response = await this.#call(method, path);
      const text = await response.text();
      if (response.status === 404) {
        // A 404 for the endpoint says nothing about the job: the key may have been rotated.
        return /endpoint not found/i.test(text)
          ? { kind: "unavailable", status: 404, message: text.slice(0, 500) }
          : { kind: "not_found" };
      }
      const job = providerJob.safeParse(parse(text));
      if (response.ok && job.success) return { kind: "job", job: job.data };
      return { kind: "unavailable", status: response.status, message: text.slice(0, 500) };
    } catch (error) {
      return { kind: "unavailable", status: null, message: describe(error) };
    }
  }

  #call(method: "GET" | "POST", path: string, body?: unknown): Promise<Response> {
    return this.#options.fetch(`${this.#options.baseUrl}/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#options.apiKey}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(this.#options.timeoutMs),
      // As a blob, which goes out as a stream: Deno's fetch posts a text again when a kept connection breaks, though the
      // first may have arrived (denoland/deno, ext/fetch; hyper's client retries what it can clone).
      ...(body === undefined ? {} : { body: new Blob([JSON.stringify(body)]) }),
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function retryAfter(response: Response): { retryAfterMs?: number } {
  const seconds = Number(response.headers.get("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: Math.min(seconds, 3600) * 1000 } : {};
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
