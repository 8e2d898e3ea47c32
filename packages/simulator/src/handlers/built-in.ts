import type { Handler } from "./handler.ts";

const count = (value: unknown, otherwise: number): number => {
  if (value === undefined) return otherwise;
  if (typeof value !== "number" || !(value >= 0))
    throw new TypeError(`expected a number, got ${JSON.stringify(value)}`);
  return value;
};

/** Returns `{ echo: input }`. */
export const echo: Handler<unknown> = ({ input }) => ({ echo: input });

/** Works for `input.ms` (default 1000) of the simulator's milliseconds and returns `{ slept }`. */
export const sleep: Handler<{ ms?: unknown }> = async ({ input }, { sleep }) => {
  const slept = count(input.ms, 1000);
  await sleep(slept);
  return { slept };
};

/** Throws an error with `input.message`. */
export const fail: Handler<{ message?: unknown }> = ({ input }) => {
  throw new Error(String(input.message ?? "failed on purpose"));
};

/** Tells of `input.steps` (default 4) steps of `input.ms` (default 1000) each, and returns `{ steps }`. */
export const progress: Handler<{ steps?: unknown; ms?: unknown }> = async (
  { input },
  { progress, sleep },
) => {
  const [steps, ms] = [count(input.steps, 4), count(input.ms, 1000)];
  for (let step = 1; step <= steps; step++) {
    await sleep(ms);
    progress({ progress: step / steps, step });
  }
  return { steps };
};

/** Yields `input.chunks` (default 4) objects `{ chunk }`, one each `input.ms` (default 1000). */
export const stream: Handler<{ chunks?: unknown; ms?: unknown }> = async function* ({ input }, { sleep }) {
  const [chunks, ms] = [count(input.chunks, 4), count(input.ms, 1000)];
  for (let chunk = 1; chunk <= chunks; chunk++) {
    await sleep(ms);
    yield { chunk };
  }
};

/** The handlers that have a name on the command line. */
export const builtIn = { echo, sleep, fail, progress, stream } as const;
