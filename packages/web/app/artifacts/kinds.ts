import type { Artifact, Job, Task } from "@podbase/client";

/** How a page can show a file. */
export type Medium = "picture" | "sound" | "film" | "pdf" | "file";

/** How to show files of a content type. */
export function mediumOf(contentType: string): Medium {
  const type = contentType.toLowerCase();
  if (type.startsWith("image/")) return "picture";
  if (type.startsWith("audio/")) return "sound";
  if (type.startsWith("video/")) return "film";
  return type.startsWith("application/pdf") ? "pdf" : "file";
}

/** A file with the task that made it. */
export interface Made {
  task: Task;
  artifact: Artifact;
}

/** The files of a job's completed tasks that are of a medium, in the order in which they were made. */
export function madeBy(job: Pick<Job, "tasks">, medium: Medium): Made[] {
  return Object.values(job.tasks)
    .filter(({ status }) => status === "completed")
    .flatMap((task) => filesOf(task).map((artifact) => ({ task, artifact })))
    .filter(({ artifact }) => mediumOf(artifact.contentType) === medium);
}

/** The files of a task. */
export function filesOf(task: Task): Artifact[] {
  return Object.values(task.artifacts).filter((artifact) => artifact !== undefined);
}

/** A name of a program's as words: `cover_image-2` → `Cover image 2`; of a map's first item, `card[0]` → `Card 1`. */
export function asWords(name: string): string {
  const words = name
    .replace(/\[(\d+)\]$/, (_, index) => ` ${Number(index) + 1}`)
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/[-_.]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
}
