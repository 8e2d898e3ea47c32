/** How long something lately took, in milliseconds: half of the cases, and nine of ten, were done by then. */
export interface Span {
  p50Ms: number;
  p90Ms: number;
}

/** When an open task may be done, and from what that is known. Times are ISO 8601. */
export interface TaskEstimate {
  likely: string;
  latest: string;
  /** Whether no worker is warm, so that one has to start first. */
  cold: boolean;
  /** From how many finished tasks of the route the spans are taken. */
  samples: number;
  /** From the submission to RunPod until a worker took it, cold or warm as `cold` says. */
  waiting: Span;
  running: Span;
}

/**
 * When a job may be done: by `likely` in half of the cases, by `latest` in nine of ten; null without history. A time that
 * has passed counts as now. Times are ISO 8601.
 */
export interface Estimate {
  likely: string | null;
  latest: string | null;
  /** The open tasks of which something is known, by name. */
  tasks: Record<string, TaskEstimate>;
}

/** A place in our own queue, before RunPod's. */
export interface QueuePosition {
  /** Tasks before it; 0 is next. */
  position: number;
  /** Whether there are more before it than were counted. */
  capped: boolean;
}

/** An estimate as podbase.estimate gives it. */
export interface EstimateRow {
  /** When it was made, by the server's clock. */
  now: string;
  likely: string | null;
  latest: string | null;
  tasks: Record<
    string,
    Pick<TaskEstimate, "likely" | "latest" | "cold" | "samples"> &
      Record<"waitP50" | "waitP90" | "runP50" | "runP90", number>
  >;
}

/** Turns the database's estimate into ours. */
export const toEstimate = ({ likely, latest, tasks }: EstimateRow): Estimate => ({
  likely,
  latest,
  tasks: Object.fromEntries(
    Object.entries(tasks).map(([name, { waitP50, waitP90, runP50, runP90, ...task }]) => [
      name,
      {
        ...task,
        waiting: { p50Ms: waitP50, p90Ms: waitP90 },
        running: { p50Ms: runP50, p90Ms: runP90 },
      },
    ]),
  ),
});
