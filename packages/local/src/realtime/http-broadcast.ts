import { z } from "zod";
import { CredentialError, type Keys } from "../keys.ts";
import { maySend } from "./authorization.ts";
import type { Pool } from "./connect-like.ts";
import type { Broadcast } from "./frames.ts";
import type { Hub } from "./hub.ts";
import { isStatementError } from "./statement-error.ts";

/** What `createHttpBroadcast` needs. */
export interface HttpBroadcastOptions {
  pool: Pool;
  keys: Keys;
  hub: Hub;
  log: (message: string) => void;
}

const BATCH_PATH = "/realtime/v1/api/broadcast";
const SINGLE_PATH = /^\/realtime\/v1\/api\/broadcast\/([^/]+)\/events\/([^/]+)$/;

const batch = z.object({
  messages: z.array(
    z.object({
      topic: z.string().min(1),
      event: z.string().min(1),
      payload: z.record(z.string(), z.unknown()),
      private: z.boolean().nullish(),
    }),
  ),
});

const json = (status: number, body: unknown): Response => Response.json(body, { status });
const accepted = (): Response => new Response(null, { status: 202 });

/**
 * Serves broadcasts over HTTP, which reach subscribers but are stored nowhere: `POST /api/broadcast` with a batch, and
 * `POST /api/broadcast/<topic>/events/<event>` with one payload (supabase/realtime, `BroadcastSingleController`).
 */
export function createHttpBroadcast(options: HttpBroadcastOptions): (request: Request) => Promise<Response> {
  const { keys, log } = options;
  return async (request) => {
    const url = new URL(request.url);
    const single = SINGLE_PATH.exec(url.pathname);
    if (!single && url.pathname !== BATCH_PATH) return json(404, { message: "not found" });
    if (request.method !== "POST") return json(405, { message: "method not allowed" });
    try {
      const claims = await keys.resolve(request.headers);
      const send = createSender(options, claims, Object.fromEntries(request.headers));
      if (!single) return await sendBatch(request, send);
      const [topic, event] = single.slice(1).map(decodeURIComponent) as [string, string];
      return await sendOne(request, url, { topic, event }, send);
    } catch (error) {
      if (error instanceof URIError) return json(400, { message: "malformed path" });
      if (error instanceof CredentialError) return json(error.status, { message: error.message });
      if (!isStatementError(error)) throw error;
      log(`realtime: an insert policy on realtime.messages failed: ${error.message}`);
      return json(422, { message: "RLS policy error" });
    }
  };
}

type Send = (topic: string, isPrivate: boolean, broadcast: Broadcast) => Promise<boolean>;

function createSender(
  { pool, hub }: HttpBroadcastOptions,
  claims: Awaited<ReturnType<Keys["resolve"]>>,
  headers: Record<string, string>,
): Send {
  const answers = new Map<string, Promise<boolean>>();
  return async (topic, isPrivate, broadcast) => {
    const answer = !isPrivate || (answers.get(topic) ?? maySend(pool.sql, { claims, topic, headers }));
    if (answer instanceof Promise) answers.set(topic, answer);
    if (!(await answer)) return false;
    hub.broadcast(topic, isPrivate, broadcast);
    return true;
  };
}

/** Private messages one may not send are left out without a word, as on a hosted project. */
async function sendBatch(request: Request, send: Send): Promise<Response> {
  const parsed = batch.safeParse(await request.json().catch(() => undefined));
  if (!parsed.success) {
    const message = z.prettifyError(parsed.error);
    return json(422, { message, errors: z.flattenError(parsed.error).fieldErrors });
  }
  for (const { topic, event, payload, private: isPrivate } of parsed.data.messages)
    await send(topic, isPrivate ?? false, {
      event,
      encoding: "json",
      body: Buffer.from(JSON.stringify(payload)),
    });
  return accepted();
}

async function sendOne(
  request: Request,
  url: URL,
  { topic, event }: { topic: string; event: string },
  send: Send,
): Promise<Response> {
  if ([...url.searchParams.keys()].some((name) => /^persist(\[|$)/.test(name)))
    return json(501, { code: "not_implemented", message: "persist is not served by the local stack" });
  const payload = await readPayload(request);
  if (payload instanceof Response) return payload;
  const isPrivate = url.searchParams.get("private") === "true";
  const sent = await send(topic, isPrivate, { event, ...payload });
  return sent ? accepted() : json(403, { message: "Unauthorized" });
}

async function readPayload(request: Request): Promise<Pick<Broadcast, "encoding" | "body"> | Response> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const body = Buffer.from(await request.arrayBuffer());
  if (type === "application/octet-stream") return { encoding: "binary", body };
  if (type !== undefined && type !== "application/json")
    return json(415, { error: "Unsupported Media Type. Use application/json or application/octet-stream" });
  let payload: unknown;
  try {
    payload = JSON.parse(body.toString("utf8"));
  } catch {
    return json(400, { message: "the body is not JSON" });
  }
  // Hosted Realtime's body parser wraps what isn't an object.
  const isObject = typeof payload === "object" && payload !== null && !Array.isArray(payload);
  return { encoding: "json", body: isObject ? body : Buffer.from(JSON.stringify({ _json: payload })) };
}
