import type { Job } from "../core/job.ts";
import type { Json } from "../core/json.ts";

/** A call of the job API or the worker protocol, whatever carried it. */
export interface Call {
  method: string;
  endpoint: string;
  /** The path after the endpoint: `run`, `status`, … */
  operation: string;
  /** The rest of the path. */
  id: string | undefined;
  query: URLSearchParams;
  authorization: string | undefined;
  /** Reads the body; undefined when it is longer than `limit` bytes. */
  body(limit: number): Promise<string | undefined>;
  /** Aborted when the caller is gone. */
  hungUp: AbortSignal;
}

/** An answer, or what a fault does instead of one: silence, or a reset connection. */
export type Answer =
  | {
      kind: "answer";
      status: number;
      body?: Json;
      headers?: Record<string, string>;
      /** In place of a body: why it is refused. The settings say what such a body looks like. */
      reason?: string;
    }
  | { kind: "none" }
  | { kind: "reset" };

/** An answer and the job it is about, if there is one. */
export interface Served {
  answer: Answer;
  job?: Job;
}

/** A plain 200. */
export const ok = (body: Json): Answer => ({ kind: "answer", status: 200, body });

/** An error as RunPod's job API words it. */
export const refuse = (status: number, reason: string): Answer => ({ kind: "answer", status, reason });

/** For an operation that takes another method. */
export const wrongMethod = (allowed: string): Answer => ({
  kind: "answer",
  status: 405,
  reason: "method not allowed",
  headers: { allow: allowed },
});

/** For operations that RunPod has and the simulator lacks. */
export const notServed = (name: string): Answer => refuse(501, `not implemented by the simulator: ${name}`);
