import { z } from "zod";
import type { ProviderStatus } from "./states.ts";

/** Body of `request-job` for one job. */
export const requestBody = z.strictObject({
  kind: z.string().min(1).max(100),
  input: z.unknown(),
  idempotencyKey: z.string().min(1).max(255).optional(),
});
/** A request that was checked. */
export type RequestBody = z.output<typeof requestBody>;

/** Jobs in one call of `request-job`. */
export const MAX_BULK = 500;
/** Body of `request-job` for many. */
export const bulkRequestBody = z.strictObject({ jobs: z.array(requestBody).min(1).max(MAX_BULK) });

/** What `submit_job` takes. */
export interface SubmitRequest {
  user: string;
  kind: string;
  input: unknown;
  plan: Plan;
  idempotencyKey?: string;
  /** -100 to 100; higher goes before lower, save for what has waited too long. */
  priority?: number;
  /** ISO 8601; nothing of the job starts before. */
  runAt?: string;
}

/** A plan as it is stored with a job. */
export interface Plan {
  tasks: Record<string, unknown>[];
  /** Lets a job that is under way, or completed so lately, serve the same request again. */
  reuse?: Reuse;
}

/**
 * How long the result of a request may serve the same request (kind, input and tasks). Scope `user`: the user gets their own
 * job again. Scope `global`: another user gets a job of their own that shows the same outputs and files, at once or as soon
 * as the first one is done; only for what depends on nothing but its input, since the files' paths hold the first one's ids.
 * A request for later (`runAt`) is always worked on anew.
 */
export interface Reuse {
  scope: "user" | "global";
  ttlMs: number;
}

/** What `submit_job` returns. `job` is the row with its tasks and artifacts. */
export interface SubmitResult {
  job: { id: string } & Record<string, unknown>;
  created: boolean;
  claims: Claim[];
}

/** An endpoint as a claim or poll carries it. */
export interface EndpointRef {
  name: string;
  /** RunPod's endpoint id. */
  providerId: string;
}

/** A claimed attempt with all that its POST to RunPod needs. The token exists here and in that POST only. */
export interface Claim {
  attempt: string;
  token: string;
  number: number;
  job: string;
  kind: string;
  user: string;
  task: string;
  route: string;
  endpoint: EndpointRef & { executionTimeoutMs: number; ttlMs: number };
  input: unknown;
  /** Of a map's item: its place in the list, and its element. */
  index?: number;
  item?: unknown;
  /** Outputs of the tasks before this one, by name. */
  upstream: Record<string, unknown>;
  /** Declared artifacts: name → content type. */
  artifacts: Record<string, string>;
  /** Set where the POST has to be announced before: see `posting` of {@link SubmissionResult}. */
  submitPolicy?: "at_most_once";
}

/** An attempt to cancel at RunPod, whose job may be deleted. */
export interface Cancel {
  attempt: string;
  providerId: string;
  endpoint: EndpointRef;
}

/** An attempt to look up at RunPod. */
export interface Poll extends Cancel {
  kind: string;
  task: string;
}

/** A call about an attempt that RunPod gave no answer to. */
export interface Unanswered {
  attempt: string;
  call: "status" | "cancel";
  /** How long RunPod wants to be left alone, in ms. */
  retryAfterMs?: number;
}

/** What one pass of `reconcile` did. */
export interface PassSummary {
  /** How long it took, in ms. */
  ms: number;
  submitted: number;
  polled: number;
  canceled: number;
  /** Endpoints whose `/health` was read. */
  checked: number;
  /** Files of deleted jobs and of attempts without a result. */
  filesDeleted: number;
  /** Look-ups that RunPod refused with all our keys. */
  refused: number;
  /** Pieces of work that threw; the next pass finds them again. */
  failed: number;
  /** The first thing that was thrown. */
  error?: string;
  unanswered: Unanswered[];
}

/** What an endpoint answered to `/health`. */
export interface HealthSnapshot {
  /** Our name of it. */
  endpoint: string;
  workers: WorkerCounts;
  jobs: QueueCounts;
}

/** How the POST of an attempt ended, or `posting`: that it is about to be made. */
export interface SubmissionResult {
  attempt: string;
  outcome: "accepted" | "rejected" | "not_sent" | "unknown" | "posting";
  providerId?: string;
  class?: FailureClass;
  error?: string;
  retryAfterMs?: number;
}

/** Failure classes that TypeScript can tell; all of them are rows of `podbase_private.failure_classes`. */
export type FailureClass =
  | "bad_input"
  | "invalid_output"
  | "transient_network"
  | "rate_limited"
  | "auth"
  | "unknown_endpoint";

/** One report about one attempt, from wherever it came. */
export interface Report {
  attempt: string;
  source: "webhook" | "poll" | "worker";
  token?: string;
  kind?: string;
  task?: string;
  status: ProviderStatus;
  providerId?: string;
  output?: unknown;
  error?: string;
  class?: FailureClass;
  progress?: number;
  seq?: number;
  delayTime?: number;
  executionTime?: number;
  workerId?: string;
}

/** What `record_report` did. */
export interface ReportResult {
  verdict: "applied" | "unchanged" | "duplicate" | "late" | "unauthorized";
  /** Whether the worker should go on. */
  proceed: boolean;
  job?: string;
  user?: string;
  artifacts?: Record<string, string>;
  claims: Claim[];
}

/** What `record_hint` did; `poll` is what to look up, if anything can come of it. */
export type HintResult = ReportResult & { poll?: Poll };

/** An upload slot as a worker gets it. */
export interface UploadSlot {
  url: string;
  path: string;
  contentType: string;
}

/** RunPod's job as `/status` and webhooks show it; unknown fields are dropped, all but the status may be missing or null. */
export const providerJob = z.object({
  id: z.string().max(200).nullish(),
  status: z.string().max(200),
  output: z.unknown().optional(),
  error: z.unknown().optional(),
  delayTime: z.number().nullish(),
  executionTime: z.number().nullish(),
  workerId: z.string().max(200).nullish(),
});
/** The part of RunPod's account of a job that is read. */
export type ProviderJob = z.infer<typeof providerJob>;

/** Body of a worker's start call: RunPod's id of the job, by which a lost result can be asked for. */
export const startBody = z.object({
  id: z
    .string()
    .max(200)
    .regex(/^[^\0\p{Surrogate}]+$/u)
    .optional(),
});
const count = z.number().int().min(0).max(1_000_000).optional().catch(undefined);

/** RunPod's `/health`. Any counter may be missing; ready and idle overlap (docs.runpod.io/serverless/endpoints). */
export const providerHealth = z.object({
  workers: z.object({
    idle: count,
    initializing: count,
    ready: count,
    running: count,
    throttled: count,
    unhealthy: count,
  }),
  jobs: z.object({ inQueue: count, inProgress: count }).catch({}),
});
/** Workers of an endpoint by state. */
export type WorkerCounts = z.infer<typeof providerHealth>["workers"];
/** Jobs of an endpoint that have not ended. */
export type QueueCounts = z.infer<typeof providerHealth>["jobs"];

/** Body of a worker's progress call. */
export const progressBody = z.object({
  seq: z.number().int().min(0).max(2_147_483_647),
  progress: z.number().min(0).max(1),
  message: z.string().max(200).optional(),
});
