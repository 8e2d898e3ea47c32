import { setTimeout as pause } from "node:timers/promises";

/** How calls to the outside behave. Tests shorten `retryDelays` (milliseconds before each further try). */
export type HttpSettings = { fetch: typeof fetch; retryDelays: readonly number[] };

/** Four tries over some five seconds. */
export const defaultHttp: HttpSettings = { fetch, retryDelays: [300, 1_000, 3_000] };

/** One call. The timeout is for a single try, in milliseconds. */
export type Call = {
  method: "POST" | "PUT";
  url: URL | string;
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer>;
  timeout: number;
};

/** An answer with its body read, whatever its status. */
export type Answer = { status: number; ok: boolean; text: string };

/** No try brought a usable answer: the other side is down, unreachable or overloaded. */
export class UnreachableError extends Error {
  override name = "UnreachableError";
}

/**
 * Makes a call and retries after each of `retryDelays` (plus up to half as much again, so that many workers do not
 * come back in step) on a network error, a timeout, 408, 429 and 5xx. All other answers are returned as they are.
 * Throws an UnreachableError after the last try.
 */
export async function callWithRetries(call: Call, http: HttpSettings): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    try {
      const answer = await callOnce(call, http);
      if (!isTemporary(answer.status)) return answer;
      throw new UnreachableError(`HTTP ${answer.status}`);
    } catch (error) {
      const delay = http.retryDelays[tries];
      if (!(error instanceof UnreachableError) || delay === undefined) throw error;
      await pause(delay * (1 + Math.random() / 2));
    }
  }
}

/** One try, without retries. Throws an UnreachableError on a network error and on the timeout. */
export async function callOnce(call: Call, http: HttpSettings): Promise<Answer> {
  const { method, headers, body } = call;
  const signal = AbortSignal.timeout(call.timeout);
  try {
    const response = await http.fetch(call.url, { method, headers, body, signal });
    return { status: response.status, ok: response.ok, text: await response.text() };
  } catch (error) {
    throw new UnreachableError(networkProblem(error), { cause: error });
  }
}

function isTemporary(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** fetch rejects with a TypeError that hides the reason in `cause`, or with the signal's TimeoutError. */
function networkProblem(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return "timed out";
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause as NodeJS.ErrnoException).code ?? String(cause instanceof Error ? cause.message : cause);
}
