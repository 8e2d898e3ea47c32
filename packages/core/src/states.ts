/** Status of a job. The same words as the enum `podbase.job_status`. */
export type JobStatus = "queued" | "processing" | "completed" | "failed" | "canceled";
/** Status of a task. The same words as the enum `podbase.task_status`. */
export type TaskStatus = "blocked" | "queued" | "processing" | "completed" | "failed" | "canceled";
/** What to tell the person who waits. The same words as the enum `podbase.phase`. */
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
