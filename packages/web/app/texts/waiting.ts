import {
  englishTexts,
  type Job,
  type Texts,
  type WaitingText,
  waitingText as wordsFor,
} from "@podbase/client";
import type { TaskName } from "../reading-job.ts";

/** What the texts need of a job or a task. */
export interface Progressing {
  status: string;
  phase: string;
  notice: { code: string; message: string; eta?: string } | null;
}

/** Podbase's own texts, with this page's voice where people look longest. */
const pageTexts: Texts = {
  ...englishTexts,
  statuses: {
    completed: "Ready.",
    failed: "This couldn't be finished.",
    canceled: "You stopped this.",
    blocked: "Starts in a moment.",
  },
  phases: {
    ...englishTexts.phases,
    waiting_for_worker: "Waiting for a worker. Cold GPUs take a minute to wake; nothing is wrong.",
  },
  notices: {
    ...englishTexts.notices,
    still_working: "Still working. Nothing is lost if you close this page.",
    retrying: "Nothing for you to do.",
  },
};

const readingTexts: Texts = {
  ...pageTexts,
  statuses: {
    ...pageTexts.statuses,
    completed: "Your reading is ready.",
    failed: "Your reading couldn't be finished.",
    canceled: "You stopped this reading.",
  },
  phases: { ...pageTexts.phases, running: "Your reading is being made." },
};

const blocked = "Begins as soon as the words are written.";
const voiceSleeps = "Waiting for a worker. The voice takes longest to wake, often minutes; nothing is wrong.";

/** What a reading's tasks say otherwise: at work, done, and while they wait for the words. */
const taskTexts: Record<TaskName, { work: string; ready: string; blocked: string; asleep?: string }> = {
  text: { work: "Writing your reading.", ready: "Ready to read.", blocked: "Starts in a moment." },
  audio: { work: "Speaking it aloud.", ready: "Ready to hear.", blocked, asleep: voiceSleeps },
  pdf: { work: "Setting it on a page.", ready: "Ready to keep.", blocked },
};

/**
 * Text for a job or, with `about.task`, for one of its tasks. A wait is told as a wait, never as an error.
 *
 * @param now milliseconds since the epoch, for the notice's estimate
 */
export function waitingText(
  state: Progressing,
  now: number,
  about: { job: Pick<Job, "kind" | "status" | "phase">; task?: string },
): WaitingText {
  return wordsFor(state, { now, texts: textsFor(about) });
}

function textsFor({ job, task }: { job: Pick<Job, "kind" | "status" | "phase">; task?: string }): Texts {
  const reading = job.kind === "reading";
  if (task === undefined) return reading ? readingTexts : pageTexts;
  const statuses = {
    ...pageTexts.statuses,
    failed: "This part couldn't be made.",
    // Nobody stopped it if another part failed.
    canceled:
      job.status === "canceled" || job.phase === "canceling"
        ? "Stopped."
        : "Not made, as it needed what failed.",
    blocked: "Begins as soon as what it needs is done.",
  };
  const own = reading && Object.hasOwn(taskTexts, task) ? taskTexts[task as TaskName] : undefined;
  if (!own) return { ...pageTexts, statuses };
  return {
    ...pageTexts,
    statuses: { ...statuses, completed: own.ready, blocked: own.blocked },
    phases: {
      ...pageTexts.phases,
      running: own.work,
      ...(own.asleep ? { waiting_for_worker: own.asleep } : {}),
    },
  };
}
