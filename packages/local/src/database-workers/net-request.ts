/** A row of `net.http_request_queue`. */
export interface QueuedRequest {
  id: string;
  method: string;
  url: string;
  headers: Record<string, unknown> | null;
  body: Buffer | null;
  timeout_milliseconds: number;
}

/** A row of `net._http_response`, without its time. */
export interface StoredResponse {
  id: string;
  status_code: number | null;
  content_type: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timed_out: boolean;
  error_msg: string | null;
}

/** Sends one queued request. Whatever goes wrong is in the row; rejects only when `signal` fires. */
export async function sendRequest(request: QueuedRequest, signal: AbortSignal): Promise<StoredResponse> {
  const timeout = AbortSignal.timeout(Math.max(request.timeout_milliseconds, 1));
  const empty = { id: request.id, status_code: null, content_type: null, headers: null, content: null };
  try {
    if (!/^https?:\/\//i.test(request.url)) throw new Error("Unsupported protocol");
    const response = await fetch(request.url, {
      method: request.method.toUpperCase(),
      headers: requestHeaders(request.headers),
      // A view of its own memory: the driver's buffer is a slice of what it received.
      body: request.body === null ? null : new Uint8Array(request.body),
      signal: AbortSignal.any([timeout, signal]),
    });
    const content = await response.text();
    return {
      id: request.id,
      status_code: response.status,
      content_type: response.headers.get("content-type"),
      headers: Object.fromEntries(response.headers),
      // Postgres's text holds no zero byte; pg_net ends the content there as well.
      content: content.split("\0", 1)[0] || null,
      timed_out: false,
      error_msg: null,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) {
      const error_msg = `Timeout of ${request.timeout_milliseconds} ms reached.`;
      return { ...empty, timed_out: true, error_msg };
    }
    return { ...empty, timed_out: false, error_msg: explain(error as Error) };
  }
}

function requestHeaders(headers: Record<string, unknown> | null): Headers {
  const result = new Headers({ "user-agent": "pg_net/0.19.5" });
  for (const [name, value] of Object.entries(headers ?? {})) result.set(name, String(value));
  return result;
}

/** In libcurl's words, which is what pg_net stores. */
function explain(error: Error): string {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ECONNREFUSED") return "Couldn't connect to server";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "Couldn't resolve host name";
  return error.cause instanceof Error ? error.cause.message : error.message;
}
