import { defineJob } from "@podbase/core";
import { z } from "zod";

/** A reading: text first, then the same text as audio and as PDF, side by side. */
export const reading = defineJob({
  kind: "reading",
  input: z.strictObject({
    name: z.string().trim().max(80).refine(isSeen, "must not be empty"),
    birthDate: z.iso.date({ abort: true }).refine(hasBeen, "must be a day that has been"),
    question: z.string().max(500),
    voice: z.enum(["alto", "bass"]),
  }),
  tasks: {
    text: {
      route: "text",
      input: ({ input }) => ({ ...input }),
      output: z.object({ text: z.string().min(1) }),
      artifacts: { text: "text/markdown" },
    },
    audio: {
      route: "audio",
      after: ["text"],
      input: ({ input, text }) => ({ text: text.text, voice: input.voice }),
      output: z.object({}),
      artifacts: { audio: "audio/wav" },
    },
    pdf: {
      route: "pdf",
      after: ["text"],
      input: ({ input, text }) => ({ markdown: text.text, title: `A reading for ${input.name}` }),
      output: z.object({}),
      artifacts: { pdf: "application/pdf" },
    },
  },
});

// What the worker would refuse is refused before a GPU wakes for it.

/** Whether anything of a text can be seen. */
function isSeen(text: string): boolean {
  return /[^\p{Cc}\p{Cf}\p{Z}]/u.test(text);
}

/** Whether a day of the calendar, which begins with the year 1, has begun in UTC. */
function hasBeen(day: string): boolean {
  return day >= "0001" && day <= new Date().toISOString().slice(0, 10);
}

/** Every job kind of this project. */
export const jobs = { reading };
