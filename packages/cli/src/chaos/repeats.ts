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
/** What the history says of a task whose attempt was given up, and the cause that it is. */
const GIVEN_UP = { "no answer in time": "evidence_window", not_found: "forgotten" } as const;

/**
 * The cause that allows an execution besides that of an earlier attempt, or of the same one, at the same task, if there is
 * one; undefined means paid twice. Two jobs at RunPod for one attempt have none: that is a second POST. Neither has, under
 * `at_most_once`, anything but a loss or a failure that RunPod itself told.
 */
export function repeatOf(about: {
  before: Execution;
  again: Execution;
  /** How often RunPod lost the worker of the later one's job. */
  losses: number;
  policy: Rows["tasks"][number]["policy"];
  /** The row of the earlier attempt. */
  attempt: Rows["attempts"][number] | undefined;
  /** The history of the task. */
  events: Rows["events"];
}): Repeat | undefined {
  const { before, again, losses, policy, attempt, events } = about;
  if (before.attempt === again.attempt) {
    return before.runpodJob === again.runpodJob && losses > 0 ? "worker_lost" : undefined;
  }
  if (!attempt) return undefined;
  const latest = again.startedAt + TOLERANCE_MS;
  if (attempt.state === "completed") {
    // It was given up, and its result came all the same: its row shows that end alone, the history both.
    const givenUp = events.find(
      ({ taskPhase, cause, at }) =>
        taskPhase === "retrying" && cause in GIVEN_UP && at >= attempt.claimedAt && at <= latest,
    );
    return givenUp && policy === "at_least_once"
      ? GIVEN_UP[givenUp.cause as keyof typeof GIVEN_UP]
      : undefined;
  }
  if ((attempt.finishedAt ?? Number.POSITIVE_INFINITY) > latest) return undefined;
  if (["failed", "timed_out", "canceled"].includes(attempt.state)) return "told_failure";
  if (policy === "at_most_once") return undefined;
  if (attempt.state === "superseded") return "evidence_window";
  return attempt.state === "lost" ? "forgotten" : undefined;
}
