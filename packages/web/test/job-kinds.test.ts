import type { Job } from "@podbase/client";
import { describe, expect, it } from "vitest";
import { isReading, questionOf, stepsOf, titleOf, wordsOf } from "../app/job-kinds.ts";

const task = (name: string, output: unknown) => ({
  name,
  status: output === undefined ? "queued" : "completed",
  output,
});

/** A reading with these parts, as far as the page looks at it. */
const readingOf = (input: unknown, ...tasks: ReturnType<typeof task>[]): Job =>
  ({
    kind: "reading",
    input,
    tasks: Object.fromEntries(tasks.map((each) => [each.name, each])),
  }) as unknown as Job;

const INPUT = { name: "Ada", birthDate: "1990-12-10", question: "Why?", voice: "alto" };

describe("a reading on the page", () => {
  it("has its words once they are done", () => {
    const job = readingOf(INPUT, task("text", { text: "Be patient." }));
    expect([titleOf(job), questionOf(job), wordsOf(job)]).toEqual([
      "A reading for Ada",
      "Why?",
      "Be patient.",
    ]);
    expect(wordsOf(readingOf(INPUT, task("text", undefined)))).toBeUndefined();
  });

  it("is shown without its words although its parts are not known, or of a newer server", () => {
    for (const job of [readingOf(INPUT), readingOf(INPUT, task("verse", { text: "O moon" }))]) {
      expect([titleOf(job), wordsOf(job)]).toEqual(["A reading for Ada", undefined]);
    }
  });

  it("is shown by its kind and parts once retention has emptied its input and outputs", () => {
    const job = readingOf({}, task("text", null), task("audio", null), task("pdf", null));
    expect(isReading(job)).toBe(false);
    expect([titleOf(job), questionOf(job), wordsOf(job)]).toEqual(["Reading", undefined, undefined]);
    expect(stepsOf(job).map(({ title }) => title)).toEqual(["The words", "The voice", "The page"]);
  });
});
