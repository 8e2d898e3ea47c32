import type { Job } from "@podbase/client";
import { asWords } from "./artifacts/kinds.ts";
import type { ReadingJob } from "./reading-job.ts";

/** A step of a job on the page. */
export interface StepPlan {
  /** Its task's name. */
  name: string;
  title: string;
  /** The task it waits for. */
  after?: string;
}

/** The parts of a reading in the order they are made. */
const readingSteps: readonly StepPlan[] = [
  { name: "text", title: "The words" },
  { name: "audio", title: "The voice", after: "text" },
  { name: "pdf", title: "The page", after: "text" },
];

/**
 * Whether a job is a reading. The page knows readings by heart and shows all else as well as it can: jobs of other kinds, and
 * a reading whose input retention has emptied.
 */
export function isReading<J extends Pick<Job, "kind" | "input">>(job: J): job is J & ReadingJob {
  return job.kind === "reading" && textOf(job.input, "name") !== undefined;
}

/** The steps of a job, in order. */
export function stepsOf(job: Job): readonly StepPlan[] {
  if (job.kind === "reading") return readingSteps;
  return Object.keys(job.tasks).map((name) => ({ name, title: asWords(name) }));
}

/** What a job is called. */
export function titleOf(job: Job): string {
  return isReading(job) ? `A reading for ${job.input.name}` : nameOf(job);
}

/** What a job is called in a list. */
export function nameOf(job: Job): string {
  return isReading(job) ? job.input.name : (textOf(job.input, "title") ?? asWords(job.kind));
}

/** What was asked, in the person's own words. */
export function questionOf(job: Job): string | undefined {
  return isReading(job) ? job.input.question || undefined : textOf(job.input, "prompt");
}

/** The words of a reading, once they are there. */
export function wordsOf(job: Job): string | undefined {
  // What a newer or older server makes of a reading may have other parts.
  const text = job.kind === "reading" ? job.tasks.text : undefined;
  return text?.status === "completed" ? textOf(text.output, "text") : undefined;
}

/** A text in an input or output that may be anything. */
function textOf(input: unknown, field: string): string | undefined {
  const value = typeof input === "object" ? (input as Record<string, unknown> | null)?.[field] : undefined;
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}
