import { PodbaseError, unstorable } from "@podbase/core";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** Keeps a function alive for work after its answer; on Supabase `EdgeRuntime.waitUntil`. A hint, never a promise. */
export type WaitUntil = (work: Promise<unknown>) => void;

/**
 * A Hono app for the function `name` with what all functions share: the path as hosted and local gateways show it, CORS,
 * a body limit that also holds for streams, and errors as `{error: {code, message, issues?}}`.
 */
export function functionApp(name: string, maxBodyBytes: number): Hono {
  const app = new Hono({
    getPath: (request) => {
      const { pathname } = new URL(request.url);
      const at = pathname.indexOf(`/${name}`);
      return at < 0 ? pathname : pathname.slice(at + name.length + 1) || "/";
    },
  });
  // Browsers hide headers that are not named here from the app (fetch.spec.whatwg.org#http-access-control-expose-headers).
  app.use(cors({ origin: "*", allowMethods: ["POST"], maxAge: 86_400, exposeHeaders: ["retry-after"] }));
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (context) =>
        respond(context, new PodbaseError("payload_too_large", `The body is over ${maxBodyBytes} bytes.`)),
    }),
  );
  app.onError((error, context) => {
    if (error instanceof PodbaseError) {
      if (error.status >= 500) console.error(error.code, error.message, error.cause);
      return respond(context, error);
    }
    console.error(error);
    return respond(context, new PodbaseError("internal", "Something went wrong on our side."));
  });
  app.notFound((context) => {
    if (context.req.method === "POST") {
      return respond(context, new PodbaseError("not_found", "There is nothing at this address."));
    }
    context.header("allow", "POST");
    return respond(
      context,
      new PodbaseError("method_not_allowed", `${context.req.method} is not served here; use POST.`),
    );
  });
  return app;
}

/** The body as JSON, however deep; what is no UTF-8 becomes U+FFFD. Throws `unsupported_media_type` or `invalid_input`. */
export async function readJson(context: Context): Promise<unknown> {
  expectJson(context);
  return parseJson(await context.req.text());
}

/** The same for what will be stored: refuses what is no UTF-8 or what the database can't hold, with the path to it. */
export async function readStorableJson(context: Context): Promise<unknown> {
  expectJson(context);
  const bytes = await context.req.arrayBuffer();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw notJson("not UTF-8");
  }
  const value = parseJson(text);
  const wrong = unstorable(value);
  if (wrong)
    throw new PodbaseError("invalid_input", "The body holds what can't be stored.", { issues: [wrong] });
  return value;
}

/** JSON has no other charset than UTF-8 (RFC 8259), and nothing here unpacks what is compressed. */
function expectJson(context: Context): void {
  const [type = "", ...parameters] = (context.req.header("content-type") ?? "").split(";");
  const charset = parameters.map((each) => /^\s*charset\s*=\s*"?([^"\s]*)/i.exec(each)?.[1]).find(Boolean);
  if (!/^application\/json\s*$/i.test(type) || !/^(utf-?8|us-ascii)$/i.test(charset ?? "utf-8"))
    throw new PodbaseError("unsupported_media_type", "Send the body as application/json, in UTF-8.");
  if (!/^(identity)?$/i.test(context.req.header("content-encoding") ?? ""))
    throw new PodbaseError("unsupported_media_type", "Send the body as it is, not compressed.");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson("not JSON");
  }
}

const notJson = (message: string) =>
  new PodbaseError("invalid_input", `The body is ${message}.`, { issues: [{ path: [], message }] });

function respond(context: Context, error: PodbaseError): Response {
  if (error.retryAfterS !== undefined) context.header("retry-after", String(error.retryAfterS));
  return context.json(error.toJSON(), error.status as ContentfulStatusCode);
}
