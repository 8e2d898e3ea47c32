// Made by scripts/generate-states.ts from the database; changes belong into supabase/migrations.

/** Status of a job. The values of the enum `podbase.job_status`. */
export type JobStatus = "queued" | "processing" | "completed" | "failed" | "canceled";

/** Status of a task. The values of the enum `podbase.task_status`. */
export type TaskStatus = "blocked" | "queued" | "processing" | "completed" | "failed" | "canceled";

/** State of one try at RunPod. The values of the enum `podbase_private.attempt_state`. */
export type AttemptState =
  | "claimed"
  | "submit_unknown"
  | "in_queue"
  | "in_progress"
  | "completed"
  | "failed"
  | "timed_out"
  | "lost"
  | "rejected"
  | "canceled"
  | "superseded";

/** What to tell the person who waits. The values of the enum `podbase.phase`. */
export type Phase =
  | "queued"
  | "submitting"
  | "confirming"
  | "waiting_for_worker"
  | "running"
  | "retrying"
  | "canceling"
  | "done";

/** States that RunPod reports, `NOT_FOUND` standing for its 404 (docs.runpod.io/serverless/endpoints/job-states). */
export type ProviderStatus =
  | "IN_QUEUE"
  | "IN_PROGRESS"
  | "RUNNING"
  | "COMPLETED"
  | "FAILED"
  | "CANCELLED"
  | "TIMED_OUT"
  | "NOT_FOUND";
