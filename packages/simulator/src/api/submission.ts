import { isObject, isTooDeep, type Json, type JsonObject } from "../core/json.ts";
import { type EndpointSettings, SHORTEST_POLICY_MS } from "../core/settings.ts";
import type { Submission } from "../core/submission.ts";

/** A body that RunPod would refuse with 400. */
export class BadRequest extends Error {}

/**
 * Reads the body of /run or /runsync. Unknown top-level keys are dropped (runpod/docs, send-requests of 2024).
 * Throws a {@link BadRequest}.
 */
export const readSubmission = (
  text: string,
  sync: boolean,
  { shortPolicy }: Pick<EndpointSettings, "shortPolicy">,
): Submission => {
  const body = parse(text);
  if (!isObject(body)) throw new BadRequest("body: must be a JSON object");
  if (isTooDeep(body)) throw new BadRequest("body: exceeded max depth");
  // RunPod's side is written in Go, whose JSON takes null for a field that is not there.
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  const { input, webhook, policy = {}, s3Config } = given as JsonObject;
  if (input === undefined) throw new BadRequest("body: input is required");
  if (webhook !== undefined && typeof webhook !== "string")
    throw new BadRequest("body: webhook must be a string");
  if (s3Config !== undefined && !isObject(s3Config)) throw new BadRequest("body: s3Config must be an object");
  if (!isObject(policy)) throw new BadRequest("body: policy must be an object");
  const least = (name: keyof typeof SHORTEST_POLICY_MS) =>
    shortPolicy === "refused" ? SHORTEST_POLICY_MS[name] : 0;
  const executionTimeoutMs = positive(policy, "executionTimeout", least("executionTimeout"));
  const ttlMs = positive(policy, "ttl", least("ttl"));
  return {
    input,
    sync,
    ...(webhook && { webhook }),
    ...(s3Config !== undefined && { s3Config: s3Config as JsonObject }),
    policy: {
      ...(executionTimeoutMs && { executionTimeoutMs }),
      ...(ttlMs && { ttlMs }),
      lowPriority: policy.lowPriority === true,
    },
  };
};

const parse = (text: string): Json => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`body: ${(error as SyntaxError).message}`);
  }
};

/** 0 stands for "not set", as in RunPod's own endpoint settings. */
const positive = (policy: Record<string, unknown>, name: string, least: number): number | undefined => {
  const value = policy[name];
  if (value === undefined || value === null || value === 0) return undefined;
  if (typeof value !== "number" || !(value > 0))
    throw new BadRequest(`body: policy.${name} must be milliseconds`);
  if (value < least) throw new BadRequest(`body: policy.${name} must be at least ${least}`);
  return value;
};
