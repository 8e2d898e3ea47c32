import type { signUp, startOwnDemo } from "./harness.ts";

/** A mebibyte, in bytes. */
export const MB = 1024 * 1024;

/** What to send, if not a POST of JSON. */
export interface Ask {
  path?: string;
  method?: string;
  body?: BodyInit | null;
  headers?: Record<string, string>;
}
/** Sends it to a function as a signed-in user; the path begins with the function's name. */
export const sender =
  (demo: Awaited<ReturnType<typeof startOwnDemo>>, user: Awaited<ReturnType<typeof signUp>>) =>
  ({ path = "request-job", method = "POST", body = null, headers = {} }: Ask) =>
    fetch(`${demo.stack.url}/functions/v1/${path}`, {
      method,
      body,
      headers: {
        ...(body === null ? {} : { "content-type": "application/json" }),
        authorization: `Bearer ${user.token}`,
        apikey: demo.stack.publishableKey,
        ...headers,
      },
      ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
    } as RequestInit);
/** A body that is sent in pieces, so that nobody knows its length beforehand. */
export const streamed = (bytes: number): ReadableStream => {
  const piece = new Uint8Array(64 * 1024).fill(0x20);
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      controller.enqueue(piece);
      left -= piece.length;
    },
  });
};
/** Arrays in arrays, as JSON. */
export const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
