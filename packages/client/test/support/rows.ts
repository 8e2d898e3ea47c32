import type { ArtifactRow, JobRow, TaskRow } from "../../src/from-row.ts";

const AT = "2026-01-01T00:00:00+00:00";

/** The id of the n-th job. */
export const jobId = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

/** A task's row. */
export const taskRow = (name: string, changes: Partial<TaskRow> = {}): TaskRow => ({
  id: `00000000-0000-4000-9000-${name.padStart(12, "0")}`,
  name,
  status: "queued",
  phase: "queued",
  version: 1,
  progress: null,
  notice: null,
  error: null,
  output: null,
  created_at: AT,
  updated_at: AT,
  started_at: null,
  finished_at: null,
  ...changes,
});

/** An artifact's row. */
export const artifactRow = (task: string, name: string): ArtifactRow => ({
  task,
  name,
  path: `user/job/${task}/attempt/${name}`,
  content_type: "text/markdown",
  bytes: 12,
  sha256: null,
  created_at: AT,
});

/** A job's row with tasks `text` and `audio`. */
export const jobRow = (n: number, changes: Partial<JobRow> = {}): JobRow => ({
  id: jobId(n),
  kind: "reading",
  status: "queued",
  phase: "queued",
  version: 1,
  progress: null,
  notice: null,
  error: null,
  input: { name: "Ada" },
  idempotency_key: null,
  created_at: `2026-01-01T00:00:${String(n).padStart(2, "0")}+00:00`,
  updated_at: AT,
  started_at: null,
  finished_at: null,
  seen_at: null,
  tasks: [taskRow("text"), taskRow("audio", { status: "blocked" })],
  artifacts: [],
  ...changes,
});
