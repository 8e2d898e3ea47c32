import type { Handler } from "@podbase/simulator";
import { runHandler } from "@podbase/worker";
import type { Route } from "../../packages/cli/src/demo-stack.ts";
import { wave } from "./wave.ts";

const READING = `# A reading for Grace

*Written under a waxing moon*

The garden knows more than it says. **Wait for the first warm week**, then begin at the edge and work inwards.

- Leave the old roots where they are.
- Plant one thing that you don't need.

> What grows slowly stays.
`;
/** What each route's handler makes. */
const RESULTS = {
  text: { artifact: "text", bytes: READING, output: { text: READING } },
  audio: { artifact: "audio", bytes: swelling(), output: {} },
  pdf: { artifact: "pdf", bytes: onePage(), output: {} },
} as const;

/** The routes of a reading, in the order of their work. */
export const ROUTES = Object.keys(RESULTS) as Route[];

/** Workers that a test holds in its hand. */
export interface GatedWorkers {
  handlers: Record<Route, Handler>;
  /** Lets a task of a job come to its end. */
  open(job: string, task: Route): void;
  openAll(): void;
  /** Lets the words of a job fail, once they may end. */
  fail(job: string): void;
  /** While true, workers that take a job don't say so. */
  muteStarts(muted: boolean): void;
}

/** Makes workers that tell of half of their work, then wait for their gates. */
export function createGatedWorkers(): GatedWorkers {
  const gates = createGates();
  const handlerOf =
    (route: Route): Handler =>
    async (job) => {
      const { podbase } = job.input as { podbase: { job: string; task: string } };
      await gates.mayStart();
      return runHandler(
        job,
        async (_input, { progress, upload }) => {
          await progress(0.5);
          await gates.passed(podbase.job, podbase.task);
          if (gates.fails(podbase.job)) throw new Error("invalid input: the stars are silent about this");
          const { artifact, bytes, output } = RESULTS[route];
          await upload(artifact, new Uint8Array(Buffer.from(bytes)));
          return output;
        },
        { log: () => {} },
      );
    };
  return {
    ...gates,
    handlers: { text: handlerOf("text"), audio: handlerOf("audio"), pdf: handlerOf("pdf") },
  };
}

function createGates() {
  const open = new Set<string>();
  const failing = new Set<string>();
  const waiting = new Map<string, () => void>();
  const muted: (() => void)[] = [];
  let mute = false;
  let all = false;
  const muteStarts = (value: boolean) => {
    mute = value;
    if (!mute) for (const start of muted.splice(0)) start();
  };
  return {
    mayStart: () =>
      new Promise<void>((resolve) => {
        if (mute) muted.push(resolve);
        else resolve();
      }),
    muteStarts,
    fail: (job: string) => void failing.add(job),
    fails: (job: string) => failing.has(job),
    passed: (job: string, task: string) =>
      new Promise<void>((resolve) => {
        if (all || open.has(`${job}/${task}`)) resolve();
        else waiting.set(`${job}/${task}`, resolve);
      }),
    open(job: string, task: string) {
      open.add(`${job}/${task}`);
      waiting.get(`${job}/${task}`)?.();
    },
    openAll() {
      all = true;
      muteStarts(false);
      for (const resolve of waiting.values()) resolve();
    },
  };
}

/** Three seconds of a tone that swells and fades. */
function swelling(): Uint8Array {
  return wave(
    Int16Array.from({ length: 24_000 }, (_, at) => {
      const loud = Math.abs(Math.sin(at / 2600) * Math.cos(at / 900));
      return Math.round(9000 * loud * Math.sin(at / 4));
    }),
  );
}

/** A PDF of one page with a line on it. */
function onePage(): string {
  const line = "BT /F1 24 Tf 72 700 Td (A reading for Grace) Tj ET";
  return `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj
4 0 obj<</Length ${line.length}>>stream
${line}
endstream
endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
%%EOF
`;
}
