import type { Execution } from "./ledger.ts";
import type { Rows } from "./rows.ts";

/**
 * Why a task's work may be done again.
 *   worker_lost      RunPod lost the worker and gave the same job to another (its platform retry)
 *   told_failure     the earlier attempt had failed, in the database, before the next one began
 *   evidence_window  nobody could know whether RunPod had taken the earlier attempt; its window had passed without a sign
 *                    of life, and the task is at_least_once
 *   forgotten        RunPod answered 404 for work that it had taken, and the task is at_least_once
 */
export type Repeat = "worker_lost" | "told_failure" | "evidence_window" | "forgotten";

/** Clocks of one machine, read in two processes. */
const TOLERANCE_MS = 50;

/**
 * The cause that allows an execution after another one of the same task, if there is one; undefined means paid twice. Two
 * jobs at RunPod for one attempt have none: that is a second POST. Neither has, under `at_most_once`, anything but a loss or
 * a failure that RunPod itself told.
 */
export function repeatOf(about: {
  before: Execution;
  again: Execution;
  /** How often RunPod lost the worker of the later one's job. */
  losses: number;
  policy: Rows["tasks"][number]["policy"];
  /** The row of the earlier attempt. */
  attempt: Rows["attempts"][number] | undefined;
}): Repeat | undefined {
  const { before, again, losses, policy, attempt } = about;
  if (before.attempt === again.attempt) {
    return before.runpodJob === again.runpodJob && losses > 0 ? "worker_lost" : undefined;
  }
  const isOver = (attempt?.finishedAt ?? Number.POSITIVE_INFINITY) <= again.startedAt + TOLERANCE_MS;
  if (!attempt || !isOver) return undefined;
  if (["failed", "timed_out", "canceled"].includes(attempt.state)) return "told_failure";
  if (policy === "at_most_once") return undefined;
  if (attempt.state === "superseded") return "evidence_window";
  return attempt.state === "lost" ? "forgotten" : undefined;
}
