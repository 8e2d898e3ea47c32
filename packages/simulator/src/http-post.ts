import http from "node:http";
import https from "node:https";
import type { Post } from "./core/world.ts";

/** Sends webhooks over HTTP(S). */
export interface HttpPost {
  post: Post;
  /** Cuts all connections. */
  close(): void;
}

/**
 * Node's plain client, since `fetch` adds headers that RunPod's webhooks don't have. Redirects are not followed:
 * what RunPod does with them is not known.
 */
export const httpPost = (): HttpPost => {
  const agents = {
    "http:": new http.Agent({ keepAlive: true }),
    "https:": new https.Agent({ keepAlive: true }),
  };
  const post: Post = (address, headers, body, signal) =>
    new Promise((resolve, reject) => {
      const url = new URL(address);
      if (url.protocol !== "http:" && url.protocol !== "https:") {
        throw new TypeError(`cannot call ${url.protocol}`);
      }
      const { request } = url.protocol === "http:" ? http : https;
      const options = {
        method: "POST",
        agent: agents[url.protocol],
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
        signal,
      };
      const sent = request(url, options, (response) => {
        response.once("error", reject);
        response.once("end", () => resolve(response.statusCode ?? 0));
        response.resume();
      });
      sent.once("error", (error) => reject(signal.aborted ? signal.reason : error));
      sent.end(body);
    });
  return {
    post,
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
};
