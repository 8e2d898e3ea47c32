import { RestError } from "./errors.ts";

/** Where the service is served. */
export const PREFIX = "/rest/v1";

/** What a path names; undefined for the root. */
export type Resource = { kind: "table" | "function"; name: string } | undefined;

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new RestError(400, "PGRST125", "Invalid path specified in request URL");
  }
}

/** Reads a path without its prefix. Throws RestError PGRST125. */
export function parsePath(path: string): Resource {
  const [first = "", second, ...others] = path.replace(/^\//, "").split("/").map(decoded);
  if (first === "" && second === undefined) return undefined;
  if (first !== "" && second === undefined) return { kind: "table", name: first };
  if (first === "rpc" && second && others.length === 0) return { kind: "function", name: second };
  throw new RestError(404, "PGRST125", "Invalid path specified in request URL");
}

/** The schema that a profile header chooses, else the first. Throws RestError PGRST106. */
export function chooseSchema(request: Request, schemas: string[]): string {
  const reads = request.method === "GET" || request.method === "HEAD";
  const profile = request.headers.get(reads ? "accept-profile" : "content-profile") ?? schemas[0] ?? "";
  if (schemas.includes(profile)) return profile;
  throw new RestError(406, "PGRST106", `Invalid schema: ${profile}`, {
    hint: `Only the following schemas are exposed: ${schemas.join(", ")}`,
  });
}

function parseCookies(header: string | null): Record<string, string> {
  const pairs = (header ?? "").split(";").map((pair) => pair.trim().split(/=(.*)/s));
  return Object.fromEntries(pairs.filter(([name]) => name).map(([name, value = ""]) => [name, value]));
}

/** Settings that tell the database of the request (PostgREST docs, "Transaction-Scoped Settings"). */
export function requestSettings(request: Request, path: string): Record<string, string> {
  const headers = [...request.headers].filter(([name]) => name !== "cookie");
  return {
    "request.method": request.method,
    "request.path": path,
    "request.headers": JSON.stringify(Object.fromEntries(headers)),
    "request.cookies": JSON.stringify(parseCookies(request.headers.get("cookie"))),
  };
}
