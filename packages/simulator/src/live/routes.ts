import { readFileSync } from "node:fs";
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { eventStream, eventsAfter, snapshot, type Watched } from "./feed.ts";

const page = readFileSync(new URL("./page.html", import.meta.url), "utf8");

const onLoopbackOnly = createMiddleware(async ({ req, json }, next) => {
  const { hostname } = new URL(req.url);
  if (!["127.0.0.1", "localhost", "[::1]"].includes(hostname)) return json({ error: "not found" }, 404);
  await next();
  return undefined;
});

/**
 * `GET /`: a page that shows what goes on. `GET /state`: the same as JSON. `GET /events`: the history, as
 * server-sent events for those who accept them, else as a JSON list; `?after=` leaves out events up to a number.
 * No key is asked for: the server listens on loopback only, and names must be loopback's, so that a website whose
 * name points here reads nothing.
 */
export const liveRoutes = (watched: Watched): Hono => {
  const app = new Hono();
  for (const path of ["/", "/state", "/events"]) app.use(path, onLoopbackOnly);
  app.get("/", ({ html }) => html(page));
  app.get("/state", ({ json }) => json(snapshot(watched)));
  app.get("/events", ({ req, json, body }) => {
    const after = Number(req.header("last-event-id") ?? req.query("after")) || 0;
    if (!req.header("accept")?.includes("text/event-stream")) return json(eventsAfter(watched, after));
    const stream = eventStream(watched, after).pipeThrough(new TextEncoderStream());
    return body(stream, 200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  });
  return app;
};
