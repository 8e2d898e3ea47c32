import { defineJob } from "@podbase/core";
import { z } from "zod";

const file = { file: "text/plain" };
const text = z.object({ text: z.string() });

/** Like the demo's reading: one task, then two side by side, each with a file. */
const three = defineJob({
  kind: "three",
  input: z.object({}),
  tasks: {
    text: { route: "text", input: () => ({ n: 1 }), output: text, artifacts: file },
    audio: {
      route: "audio",
      after: ["text"],
      input: ({ text }) => ({ n: text.text }),
      output: z.object({}),
      artifacts: file,
    },
    pdf: {
      route: "pdf",
      after: ["text"],
      input: ({ text }) => ({ n: text.text }),
      output: z.object({}),
      artifacts: file,
    },
  },
});

/** One task that must not be bought twice, with a file. */
const dear = defineJob({
  kind: "dear",
  input: z.object({}),
  tasks: {
    text: {
      route: "text",
      input: () => ({ n: 1 }),
      output: text,
      artifacts: file,
      submitPolicy: "at_most_once",
    },
  },
});

/** One task whose result is its output alone: nothing of it is in Storage. */
const word = defineJob({
  kind: "word",
  input: z.object({}),
  tasks: { text: { route: "text", input: () => ({ n: 1 }), output: text } },
});

/** The same, not to be bought twice. */
const dearWord = defineJob({
  kind: "dearWord",
  input: z.object({}),
  tasks: { text: { ...word.tasks.text, submitPolicy: "at_most_once" } },
});

export const JOBS = { three, dear, word, dearWord };
export const ROUTES = ["text", "audio", "pdf"];
