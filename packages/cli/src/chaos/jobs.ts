/**
 * The job kinds of the chaos run, in the place of a project's `_shared/jobs.ts`; the functions that run them are the
 * project's own. Every output names the attempt that made it, so that a result can be told from its twin.
 */
import { defineJob } from "@podbase/core";
import { z } from "zod";

const input = z.strictObject({ n: z.number().int() });
const made = z.object({ by: z.uuid() });
const file = { file: "text/plain" };
/** More failures than any run has: what ends as failed has another reason. */
const maxAttempts = 50;

/** One task whose result is its output alone. */
const note = defineJob({
  kind: "note",
  input,
  tasks: { note: { route: "gpu", input: ({ input }) => ({ ...input }), output: made, maxAttempts } },
});

/** One task that is too dear to be bought twice, with a file. */
const dear = defineJob({
  kind: "dear",
  input,
  tasks: {
    film: {
      route: "gpu",
      input: ({ input }) => ({ ...input }),
      output: made,
      artifacts: file,
      submitPolicy: "at_most_once",
      maxAttempts,
    },
  },
});

/** One task, then two side by side that are given its output, each with a file. */
const chain = defineJob({
  kind: "chain",
  input,
  tasks: {
    text: {
      route: "gpu",
      input: ({ input }) => ({ ...input }),
      output: made,
      artifacts: file,
      maxAttempts,
    },
    audio: {
      route: "gpu",
      after: ["text"],
      input: ({ text }) => ({ upstream: text.by }),
      output: made,
      artifacts: file,
      maxAttempts,
    },
    pdf: {
      route: "gpu",
      after: ["text"],
      input: ({ text }) => ({ upstream: text.by }),
      output: made,
      artifacts: file,
      maxAttempts,
    },
  },
});

/** The kinds that the requests of a chaos run are of, by name. */
export const jobs = { note, dear, chain };

/** The kinds by name. */
export type ChaosKind = keyof typeof jobs;
