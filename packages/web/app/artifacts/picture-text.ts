import type { Job } from "@podbase/client";
import { asWords, type Made } from "./kinds.ts";

/**
 * What a picture shows, for those who don't see it. The task's output may say so: `alt`, a text or one for each artifact by
 * its name. Else what was asked for (`prompt` in the input), else the artifact's name.
 */
export function pictureText(
  { task, artifact }: Made,
  job: Pick<Job, "input">,
  place: number,
  of: number,
): string {
  const alt = fieldOf(task.output, "alt");
  const own = typeof alt === "string" && of === 1 ? alt : fieldOf(alt, artifact.name);
  if (typeof own === "string" && own.trim() !== "") return own;
  const prompt = typeof alt === "string" ? alt : fieldOf(job.input, "prompt");
  const subject = typeof prompt === "string" && prompt.trim() !== "" ? prompt.trim() : asWords(artifact.name);
  return of === 1 ? subject : `${subject}, picture ${place} of ${of}`;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
