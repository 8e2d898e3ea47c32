import { z } from "zod";
import { RestError } from "./errors.ts";
import type { Asked, Plan } from "./plan.ts";
import { contentRange, rangeStatus } from "./ranges.ts";
import type { Outcome } from "./statement.ts";

const GucHeaders = z.array(z.record(z.string(), z.string()));

/** `response.headers`: a JSON array of one-key objects. Throws RestError PGRST111. */
function headersOf(setting: string): [string, string][] {
  try {
    return GucHeaders.parse(JSON.parse(setting)).flatMap((header) => Object.entries(header));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    throw new RestError(
      500,
      "PGRST111",
      "response.headers guc must be a JSON array composed of objects with a single key and a string value",
    );
  }
}

/** `response.status`. Throws RestError PGRST112. */
function statusOf(setting: string): number {
  const status = Number(setting);
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status;
  throw new RestError(500, "PGRST112", "response.status guc must be a valid status code");
}

interface Answer {
  status: number;
  range: string;
  hasBody: boolean;
}

function answerOf(asked: Asked, plan: Plan, outcome: Outcome): Answer {
  const { method, kind, preferences } = asked;
  const sent = Number(outcome.sent);
  if (kind === "function" || method === "GET" || method === "HEAD") {
    const total = outcome.total === null ? undefined : Number(outcome.total);
    const offset = Number(asked.range.offset);
    const status = rangeStatus(offset, sent, total);
    return {
      status: plan.returnsVoid ? 204 : status,
      range: contentRange(offset, sent, total),
      hasBody: !plan.returnsVoid && method !== "HEAD",
    };
  }
  const counted = preferences.count ? sent : undefined;
  const { representation } = preferences;
  if (method === "POST") {
    const onlyUpdated = outcome.inserted !== null && outcome.inserted <= 0;
    return {
      status: onlyUpdated ? 200 : 201,
      range: contentRange(0, 0, counted),
      hasBody: representation,
    };
  }
  return {
    status: representation ? 200 : 204,
    range: contentRange(0, method === "PATCH" ? sent : 0, counted),
    hasBody: representation,
  };
}

/** The response to a request that went well. Throws RestError PGRST103, PGRST111, PGRST112. */
export function respond(asked: Asked, schema: string, plan: Plan, outcome: Outcome): Response {
  const { status, range, hasBody } = answerOf(asked, plan, outcome);
  const headers = new Headers({ "content-range": range, "content-profile": schema });
  if (asked.preferences.applied.length > 0)
    headers.set("preference-applied", asked.preferences.applied.join(", "));
  if (hasBody || asked.method === "HEAD") headers.set("content-type", asked.media.contentType);
  for (const [name, value] of outcome.headers === null ? [] : headersOf(outcome.headers))
    headers.set(name, value);
  return new Response(hasBody ? outcome.body : null, {
    status: outcome.status === null ? status : statusOf(outcome.status),
    headers,
  });
}
