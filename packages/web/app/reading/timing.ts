import { spokenDuration, spokenSpan } from "../texts/durations.ts";

interface Timed {
  status: string;
  startedAt: string | null;
  finishedAt: string | null;
}

/**
 * How long a task has waited or worked, or how long its work took; empty where that says nothing.
 *
 * @param readyAt when it could begin: its job was asked for, or the task before it was done
 * @param now milliseconds since the epoch
 */
export function taskTiming(task: Timed, readyAt: string, now: number): string {
  switch (task.status) {
    case "queued":
      return spokenDuration(now - Date.parse(readyAt));
    case "processing":
      return spokenDuration(now - Date.parse(task.startedAt ?? readyAt));
    case "completed":
      return task.startedAt && task.finishedAt
        ? `took ${spokenSpan(Date.parse(task.finishedAt) - Date.parse(task.startedAt))}`
        : "";
    default:
      return "";
  }
}

/** How long a person has waited for a job, or had to. */
export function jobTiming(job: { createdAt: string; finishedAt: string | null }, now: number): string {
  const created = Date.parse(job.createdAt);
  return job.finishedAt
    ? `after ${spokenSpan(Date.parse(job.finishedAt) - created)}`
    : `${spokenDuration(now - created)} so far`;
}
