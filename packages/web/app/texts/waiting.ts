import type { TaskName } from "../reading-job.ts";
import { spokenEta } from "./durations.ts";

/** What the texts need of a job or a task. */
export interface Progressing {
  status: string;
  phase: string;
  notice: { code: string; eta?: string } | null;
}

/** What to tell a person who waits: one line, and what there is to know about it. */
export interface WaitingText {
  line: string;
  hint?: string;
}

const work: Record<TaskName, string> = {
  text: "Writing your reading.",
  audio: "Speaking it aloud.",
  pdf: "Setting it on a page.",
};

const blocked: Record<TaskName, string> = {
  text: "Starts in a moment.",
  audio: "Begins as soon as the words are written.",
  pdf: "Begins as soon as the words are written.",
};

const ready: Record<TaskName, string> = {
  text: "Ready to read.",
  audio: "Ready to hear.",
  pdf: "Ready to keep.",
};

const noticeHints: Record<string, string> = {
  warming_up: "A machine is starting up for this.",
  still_working: "Still working. Nothing is lost if you close this page.",
  slower_than_usual: "Slower than usual, and still on its way.",
  no_workers: "All machines are busy right now. You keep your place in line.",
};

/**
 * Text for a job (without `task`) or one of its tasks. A wait is told as a wait, never as an error; unknown phases
 * and notices of a newer backend fall back to plain words.
 *
 * @param now milliseconds since the epoch, for the estimate
 */
export function waitingText(state: Progressing, now: number, task?: TaskName): WaitingText {
  switch (state.status) {
    case "completed":
      return { line: task ? ready[task] : "Your reading is ready." };
    case "failed":
      return { line: task ? "This part couldn't be made." : "Your reading couldn't be finished." };
    case "canceled":
      return { line: task ? "Stopped." : "You stopped this reading." };
    case "blocked":
      return { line: task ? blocked[task] : "Starts in a moment." };
  }
  const line = openLine(state.phase, task);
  const hint = noticeHint(state, now);
  return hint ? { line, hint } : { line };
}

function openLine(phase: string, task?: TaskName): string {
  switch (phase) {
    case "queued":
      return "In line. It starts by itself.";
    case "submitting":
      return "Handing it to a GPU.";
    case "confirming":
      return "Making sure the GPU service has it. This sorts itself out within minutes.";
    case "waiting_for_worker":
      return task === "audio"
        ? "Waiting for a worker. The voice takes longest to wake, often minutes; nothing is wrong."
        : "Waiting for a worker. Cold GPUs take a minute to wake; nothing is wrong.";
    case "retrying":
      return "That try didn't work out. Another one starts by itself.";
    case "canceling":
      return "Stopping. This takes a few seconds.";
    default:
      return task ? work[task] : "Your reading is being made.";
  }
}

function noticeHint({ phase, notice }: Progressing, now: number): string | undefined {
  if (!notice || phase === "canceling") return undefined;
  const eta = spokenEta(notice.eta, now);
  if (notice.code === "retrying") return eta && `Next try ${eta}.`;
  const hint = noticeHints[notice.code];
  if (!eta) return hint;
  return `${hint ?? "Still working."} Expected ${eta}.`;
}
