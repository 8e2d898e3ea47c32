import { Agent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { DenoWorker } from "./deno-worker.ts";

/** The function gave no answer in time. */
export class IdleTimeoutError extends Error {}

const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const DISCARDED_BYTES = 64 * 1024 * 1024;
const DISCARD_MS = 2000;
// A fresh connection per request: a kept one could belong to a process that has just ended.
const agent = new Agent({ keepAlive: false });

/**
 * Passes a request to a function's process and its answer back, both bodies as streams. `path` is what the function
 * sees. Rejects when the process ends before it answers; IdleTimeoutError when it is silent for `timeoutMs`.
 */
export function forward(
  worker: DenoWorker,
  request: Request,
  path: string,
  timeoutMs: number,
): Promise<Response> {
  const headers: OutgoingHttpHeaders = Object.fromEntries(request.headers);
  for (const name of HOP_BY_HOP) delete headers[name];
  headers.host = request.headers.get("host") ?? new URL(request.url).host;
  headers["x-podbase-token"] = worker.token;
  return new Promise((resolve, reject) => {
    const upstream = httpRequest({
      agent,
      host: "127.0.0.1",
      port: worker.port,
      method: request.method,
      path,
      headers,
    });
    const timer = setTimeout(() => upstream.destroy(new IdleTimeoutError()), timeoutMs);
    const body = request.body === null ? undefined : Readable.fromWeb(request.body as ReadableStream);
    const giveUp = () => upstream.destroy(new Error("the caller is gone"));
    request.signal.addEventListener("abort", giveUp);
    upstream.once("close", () => {
      clearTimeout(timer);
      request.signal.removeEventListener("abort", giveUp);
    });
    upstream.once("error", reject);
    upstream.once("response", (answer) => {
      clearTimeout(timer);
      // What breaks from now on breaks the answer's stream.
      upstream.off("error", reject).on("error", () => {});
      const respond = () => resolve(toResponse(answer));
      // A refusal that comes before the body's end, such as 413, would be lost to a caller who is still sending.
      if (body && !body.readableEnded && (answer.statusCode ?? 0) >= 400) discard(body).then(respond);
      else respond();
    });
    if (!body) {
      upstream.end();
      return;
    }
    // The function may answer before the first byte of a slow body.
    upstream.flushHeaders();
    body.once("error", (error) => upstream.destroy(error));
    body.pipe(upstream);
  });
}

/** Reads the rest of a body to no purpose, as far as that is reasonable (nginx calls it lingering close). */
async function discard(body: Readable): Promise<void> {
  body.unpipe();
  let left = DISCARDED_BYTES;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, DISCARD_MS);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    body.once("close", end).once("end", end);
    body.on("data", (chunk: Uint8Array) => {
      left -= chunk.length;
      if (left < 0) end();
    });
  });
  body.pause();
}

function toResponse(answer: IncomingMessage): Response {
  const headers = new Headers();
  for (let index = 0; index < answer.rawHeaders.length; index += 2) {
    const name = answer.rawHeaders[index] as string;
    if (!HOP_BY_HOP.includes(name.toLowerCase()))
      headers.append(name, answer.rawHeaders[index + 1] as string);
  }
  const status = answer.statusCode ?? 502;
  const bodyless = status === 204 || status === 205 || status === 304;
  if (bodyless) answer.resume();
  // A process that dies while it streams breaks the body off; the caller sees a broken transfer, as it must.
  return new Response(bodyless ? null : (Readable.toWeb(answer) as unknown as BodyInit), { status, headers });
}
