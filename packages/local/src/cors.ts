const METHODS = "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS";
const EXPOSED = [
  ["content-encoding", "content-length", "content-location", "content-range", "content-type"],
  ["date", "etag", "link", "location", "preference-applied", "range-unit", "retry-after"],
  ["sb-error-code", "x-supabase-api-version", "x-total-count"],
]
  .flat()
  .join(", ");

/** Answers a browser's preflight: any origin, whatever headers it asks for, as the hosted gateway. */
export function preflight(request: Request): Response {
  const headers = new Headers({
    "access-control-allow-origin": "*",
    "access-control-allow-methods": METHODS,
    "access-control-max-age": "3600",
    vary: "access-control-request-headers",
  });
  const asked = request.headers.get("access-control-request-headers");
  if (asked) headers.set("access-control-allow-headers", asked);
  return new Response(null, { status: 200, headers });
}

/** Lets pages of any origin read an answer and its headers; what the service says itself stands. */
export function exposeToBrowsers(response: Response): Response {
  const headers = new Headers(response.headers);
  if (!headers.has("access-control-allow-origin")) headers.set("access-control-allow-origin", "*");
  if (!headers.has("access-control-expose-headers")) headers.set("access-control-expose-headers", EXPOSED);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
