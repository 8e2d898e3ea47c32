import http from "node:http";
import https from "node:https";
import type { PlatformSettings } from "./core/settings.ts";
import type { Post } from "./core/world.ts";

/** Sends webhooks over HTTP(S). */
export interface HttpPost {
  post: Post;
  /** Cuts all connections. */
  close(): void;
}

/** As many as Go's client follows. */
const MOST_REDIRECTS = 10;
/** Those that Go's client repeats with method and body. */
const KEPT = [307, 308];
/** Those after which it asks with GET. */
const CHANGED = [301, 302, 303];

interface Call {
  url: URL;
  method: "POST" | "GET";
  headers: Record<string, string>;
  body: string;
}

/** Node's plain client, since `fetch` adds headers that RunPod's webhooks don't have. */
export const httpPost = (redirects: PlatformSettings["webhook"]["redirects"]): HttpPost => {
  const agents = {
    "http:": new http.Agent({ keepAlive: true }),
    "https:": new https.Agent({ keepAlive: true }),
  };
  const send = ({ url, method, headers, body }: Call, signal: AbortSignal) =>
    new Promise<{ status: number; location: string | undefined }>((resolve, reject) => {
      if (url.protocol !== "http:" && url.protocol !== "https:") {
        throw new TypeError(`cannot call ${url.protocol}`);
      }
      const { request } = url.protocol === "http:" ? http : https;
      const sent = request(url, { method, agent: agents[url.protocol], headers, signal }, (response) => {
        const { statusCode: status = 0, headers: received } = response;
        response.once("error", reject);
        response.once("end", () => resolve({ status, location: received.location }));
        response.resume();
      });
      sent.once("error", (error) => reject(signal.aborted ? signal.reason : error));
      sent.end(body);
    });
  const follow = async (call: Call, signal: AbortSignal, left: number): Promise<number> => {
    const { status, location } = await send(call, signal);
    const isRedirect = KEPT.includes(status) || CHANGED.includes(status);
    if (!isRedirect || location === undefined || left === 0) return status;
    const url = new URL(location, call.url);
    if (KEPT.includes(status)) return follow({ ...call, url }, signal, left - 1);
    const { "content-type": _, "content-length": __, ...headers } = call.headers;
    return follow({ url, method: "GET", headers, body: "" }, signal, left - 1);
  };
  return {
    async post(address, given, body, signal) {
      const headers = { ...given, "content-length": String(Buffer.byteLength(body)) };
      const call: Call = { url: new URL(address), method: "POST", headers, body };
      return follow(call, signal, redirects === "followed" ? MOST_REDIRECTS : 0);
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
};
