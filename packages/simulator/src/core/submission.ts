import type { Job } from "./job.ts";
import type { Json, JsonObject } from "./json.ts";
import { type EndpointSettings, LONGEST_POLICY_MS, SHORTEST_POLICY_MS } from "./settings.ts";

/** What a caller sends to /run or /runsync, checked and with unknown keys dropped. */
export interface Submission {
  input: Json;
  sync: boolean;
  webhook?: string;
  s3Config?: JsonObject;
  policy: { executionTimeoutMs?: number; ttlMs?: number; lowPriority?: boolean };
}

/** The job that a submission becomes. */
export const newJob = (
  submission: Submission,
  place: { id: string; endpoint: string; now: number; settings: EndpointSettings },
): Job => {
  const { input, sync, webhook, s3Config, policy } = submission;
  const { id, endpoint, now, settings } = place;
  const shortest = settings.shortPolicy === "raised" ? SHORTEST_POLICY_MS : { ttl: 0, executionTimeout: 0 };
  const executionTimeoutMs = Math.max(
    policy.executionTimeoutMs ?? settings.executionTimeoutMs,
    shortest.executionTimeout,
  );
  const ttlMs = Math.max(policy.ttlMs ?? settings.ttlMs, shortest.ttl);
  return {
    id,
    endpoint,
    sync,
    input,
    ...(webhook !== undefined && { webhook }),
    ...(s3Config !== undefined && { s3Config }),
    lowPriority: policy.lowPriority ?? false,
    executionTimeoutMs: Math.min(executionTimeoutMs, LONGEST_POLICY_MS),
    submittedAt: now,
    expiresAt: now + Math.min(ttlMs, LONGEST_POLICY_MS),
    state: "IN_QUEUE",
    queuedAt: now,
    place: 0,
    delayFrom: now,
    run: 0,
    retries: 0,
  };
};
