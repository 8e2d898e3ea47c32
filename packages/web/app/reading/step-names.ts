import type { TaskName } from "../reading-job.ts";

/** The parts of a reading in the order they are made. */
export const steps: readonly { name: TaskName; title: string; after?: TaskName }[] = [
  { name: "text", title: "The words" },
  { name: "audio", title: "The voice", after: "text" },
  { name: "pdf", title: "The page", after: "text" },
];
