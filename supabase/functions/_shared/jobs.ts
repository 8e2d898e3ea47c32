import { defineJob } from "@podbase/core";
import { z } from "zod";

/** A reading: text first, then the same text as audio and as PDF, side by side. */
export const reading = defineJob({
  kind: "reading",
  input: z.strictObject({
    name: z.string().trim().min(1).max(80),
    birthDate: z.iso.date(),
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

/** Every job kind of this project. */
export const jobs = { reading };
