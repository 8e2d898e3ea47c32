import type { Artifact, Failure, Job, JobStatus, Notice, Phase, Task, TaskStatus } from "./types.ts";

interface ProgressingRow {
  id: string;
  phase: Phase;
  version: number;
  progress: number | null;
  notice: Notice | null;
  error: Failure | null;
  created_at: string;
  updated_at: string;
  started_at: string | null;
  finished_at: string | null;
}

/** A row of `podbase.tasks`. */
export interface TaskRow extends ProgressingRow {
  name: string;
  status: TaskStatus;
  output: unknown;
}

/** A row of `podbase.artifacts`. */
export interface ArtifactRow {
  task: string;
  name: string;
  path: string;
  content_type: string;
  bytes: number;
  sha256: string | null;
  created_at: string;
}

/** A row of `podbase.jobs` with its tasks and artifacts, as REST and the functions hand it out. */
export interface JobRow extends ProgressingRow {
  kind: string;
  status: JobStatus;
  input: unknown;
  idempotency_key: string | null;
  seen_at: string | null;
  tasks: TaskRow[];
  artifacts: ArtifactRow[];
}

const progressing = (row: ProgressingRow) => ({
  id: row.id,
  phase: row.phase,
  version: row.version,
  progress: row.progress,
  notice: row.notice,
  error: row.error,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
});

const toArtifact = (row: ArtifactRow): Artifact => ({
  name: row.name,
  task: row.task,
  path: row.path,
  contentType: row.content_type,
  bytes: row.bytes,
  sha256: row.sha256,
  createdAt: row.created_at,
});

const toTask = (row: TaskRow, artifacts: Record<string, Artifact>): Task =>
  row.status === "completed"
    ? { ...progressing(row), name: row.name, status: row.status, output: row.output, artifacts }
    : { ...progressing(row), name: row.name, status: row.status, output: null, artifacts };

const byAgeAndName = (
  a: { created_at: string; name: string },
  b: { created_at: string; name: string },
): number => compare(a.created_at, b.created_at) || compare(a.name, b.name);

/** The items of a map are as old as it is: name, name[0], …, name[9], name[10]. */
const byPlan = (a: TaskRow, b: TaskRow): number =>
  compare(a.created_at, b.created_at) || a.name.length - b.name.length || compare(a.name, b.name);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The one place where rows become {@link Job}s. Tasks and artifacts come out in a fixed order, so that two readings of
 * one version are equal text.
 */
export const toJob = (row: JobRow): Job => {
  const tasks: Record<string, Task> = {};
  for (const task of [...row.tasks].sort(byPlan)) {
    const own = row.artifacts.filter((artifact) => artifact.task === task.name).sort(byAgeAndName);
    tasks[task.name] = toTask(
      task,
      Object.fromEntries(own.map((artifact) => [artifact.name, toArtifact(artifact)])),
    );
  }
  return {
    ...progressing(row),
    kind: row.kind,
    status: row.status,
    input: row.input,
    idempotencyKey: row.idempotency_key,
    seenAt: row.seen_at,
    tasks,
  };
};
