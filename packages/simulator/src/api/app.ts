import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { getPath } from "hono/utils/url";
import type { Answer } from "./answer.ts";
import type { JobApi } from "./job-api.ts";
import { dropRest, readAtMost } from "./read-at-most.ts";

/** Bindings are absent when the app is called as a function, without a socket. */
type Env = { Bindings: Partial<HttpBindings> };

/**
 * All over HTTP: the job API at `/v2/<endpoint>/…`, the management API at `/management/v2/…`, and what is there to
 * watch at `/`.
 */
export const createApp = (api: JobApi, management: Hono, live: Hono): Hono<Env> =>
  // Some clients add /v2 to a base URL that ends with it already, as RunPod's does.
  new Hono<Env>({ getPath: (request) => getPath(request).replace(/^\/v2\/v2\//, "/v2/") })
    .route("/", live)
    .route("/management/v2", management)
    .all("/v2/:endpoint/:operation/:id{.+}?", async (context) => {
      const { endpoint, operation, id } = context.req.param();
      const answer = await api.call({
        method: context.req.method,
        endpoint: endpoint ?? "",
        operation: operation ?? "",
        id,
        query: new URL(context.req.url).searchParams,
        authorization: context.req.header("authorization"),
        body: (limit) => readAtMost(context.req.raw, limit),
        hungUp: context.req.raw.signal,
      });
      await dropRest(context.req.raw);
      return respond(answer, context.env);
    })
    .onError((error) => {
      throw error;
    })
    .notFound((context) => context.json({ error: "not found" }, 404));

/** By HTTP they have none, whatever a fault is told to answer. */
const WITHOUT_BODY = [204, 205, 304];

const respond = (answer: Answer, env: Partial<HttpBindings> | undefined): Response | Promise<Response> => {
  if (answer.kind === "answer") {
    const isText = typeof answer.body === "string";
    const isEmpty = answer.body === undefined || WITHOUT_BODY.includes(answer.status);
    return new Response(
      isEmpty ? undefined : isText ? (answer.body as string) : JSON.stringify(answer.body),
      {
        status: answer.status as ContentfulStatusCode,
        headers: {
          "content-type": isText ? "text/plain; charset=utf-8" : "application/json",
          ...answer.headers,
        },
      },
    );
  }
  // The connection stays open until the caller gives up or the server closes.
  if (answer.kind === "none") return new Promise<never>(() => {});
  if (!env?.incoming) throw new TypeError("fetch failed: the connection was reset");
  env.incoming.socket.resetAndDestroy();
  return RESPONSE_ALREADY_SENT;
};
