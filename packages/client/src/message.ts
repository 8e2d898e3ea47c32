import type { JobStatus, Phase, TaskStatus } from "./types.ts";

/** A change of one job as broadcast on its owner's topic: states only, never outputs, notices or artifacts. */
export interface JobMessage {
  job: string;
  version: number;
  status: JobStatus;
  phase: Phase;
  progress: number | null;
  /** When it happened, ISO 8601. */
  at: string;
  task?: { name: string; status: TaskStatus; phase: Phase; version: number; progress: number | null } | null;
}

/** The private topic on which all jobs of a user are announced. */
export const topicOf = (userId: string): string => `podbase:${userId}`;

/** Whether a broadcast has what a merge relies on. One that has not (of a newer server, say) only hints at a change. */
export const isJobMessage = (payload: unknown): payload is JobMessage => {
  const message = payload as Partial<JobMessage> | null | undefined;
  return (
    typeof message?.job === "string" &&
    typeof message.version === "number" &&
    typeof message.status === "string" &&
    typeof message.phase === "string"
  );
};
