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

/** The same, whose webhook counts only once RunPod has said so itself. */
const checked = defineJob({
  kind: "checked",
  input: z.object({}),
  tasks: { text: { ...word.tasks.text, confirm: true } },
});

/** The same, not to be bought twice. */
const dearWord = defineJob({
  kind: "dearWord",
  input: z.object({}),
  tasks: { text: { ...word.tasks.text, submitPolicy: "at_most_once" } },
});

/** A map over the input, whose items may fail, one over an upstream output, with files, and a last task that sees both. */
const gallery = defineJob({
  kind: "gallery",
  input: z.object({ words: z.array(z.string()) }),
  tasks: {
    caption: {
      route: "text",
      map: { over: "input", path: ["words"] },
      optional: true,
      maxAttempts: 1,
      input: ({ item }) => ({ word: item }),
      output: z.object({ caption: z.string() }),
    },
    script: {
      route: "text",
      input: ({ input }) => ({ words: input.words }),
      output: z.object({ scenes: z.array(z.string()) }),
    },
    image: {
      route: "audio",
      after: ["script"],
      map: { over: "script", path: ["scenes"] },
      input: ({ item, index }) => ({ scene: item, place: index }),
      output: z.object({ of: z.string() }),
      artifacts: file,
    },
    sheet: {
      route: "pdf",
      after: ["caption", "image"],
      input: ({ caption, image }) => ({ captions: caption, images: image }),
      output: z.object({ captions: z.number(), images: z.number() }),
    },
  },
});

/** The kinds by name. */
export const JOBS = { three, dear, word, checked, dearWord, gallery };
/** The routes of all their tasks. */
export const ROUTES = ["text", "audio", "pdf"];
