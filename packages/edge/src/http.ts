import { PodbaseError } from "@podbase/core";
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
  app.use(cors({ origin: "*", maxAge: 86_400 }));
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
  app.notFound((context) =>
    respond(
      context,
      context.req.method === "POST"
        ? new PodbaseError("not_found", "There is nothing at this address.")
        : new PodbaseError("method_not_allowed", `${context.req.method} is not served here; use POST.`),
    ),
  );
  return app;
}

/** The body as JSON. Throws `unsupported_media_type` or `invalid_input`. */
export async function readJson(context: Context): Promise<unknown> {
  const type = context.req.header("content-type") ?? "";
  if (!/^application\/json\b/i.test(type)) {
    throw new PodbaseError("unsupported_media_type", "Send the body as application/json.");
  }
  const text = await context.req.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PodbaseError("invalid_input", "The body is not JSON.", {
      issues: [{ path: [], message: "not JSON" }],
    });
  }
  // Postgres can't store it (postgresql.org/docs/current/datatype-json.html); found by its escape or not at all.
  if (/\\u0000/.test(text) && hasNul(value)) {
    throw new PodbaseError("invalid_input", "The body contains a NUL character.", {
      issues: [{ path: [], message: "NUL characters are not allowed" }],
    });
  }
  return value;
}

function respond(context: Context, error: PodbaseError): Response {
  return context.json(error.toJSON(), error.status as ContentfulStatusCode);
}

function hasNul(value: unknown): boolean {
  if (typeof value === "string") return value.includes("\0");
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key.includes("\0") || hasNul(inner));
}
