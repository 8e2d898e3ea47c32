import type { Phase } from "./types.ts";

/** What to tell a person who waits: one line, and what more there is to know. */
export interface WaitingText {
  line: string;
  hint?: string;
}

/** The words for it. Take {@link englishTexts} and replace what you like, or translate them all. */
export interface Texts {
  /** Of ended jobs and tasks, and of tasks that wait for others. */
  statuses: Record<"completed" | "failed" | "canceled" | "blocked", string>;
  /** Of open ones. */
  phases: Record<Exclude<Phase, "done">, string>;
  /** By the notice's code. A code that is not here is told in the server's own words. */
  notices: Record<string, string>;
  /** Puts a time after a hint, such as "Expected in about 3 min."; gets milliseconds from now. */
  expected(ms: number): string;
  /** Puts a place into words; gets the number of tasks before, and whether there are more. */
  queued(position: number, capped: boolean): string;
}

const about = (ms: number): string => {
  if (ms < 5_000) return "any moment now";
  return ms < 55_000 ? `in about ${Math.ceil(ms / 10_000) * 10} s` : `in about ${Math.ceil(ms / 60_000)} min`;
};

/** English. Waiting is told as waiting: nothing here sounds like an error but `failed`. */
export const englishTexts: Texts = {
  statuses: {
    completed: "Done.",
    failed: "This could not be finished.",
    canceled: "Stopped.",
    blocked: "Starts when what it needs is done.",
  },
  phases: {
    queued: "In line. It starts by itself.",
    submitting: "Handing it to a GPU.",
    confirming: "Making sure that the GPU service has it. This sorts itself out within minutes.",
    waiting_for_worker: "Waiting for a worker. A cold GPU takes a minute or more to wake.",
    running: "Working on it.",
    retrying: "That try did not work out. Another one starts by itself.",
    canceling: "Stopping. This takes a few seconds.",
  },
  notices: {
    warming_up: "A machine is starting up for this.",
    worker_starting: "A machine is starting up for this.",
    throttled: "No machine of this kind is free right now. You keep your place in line.",
    no_workers: "No machine is there for this at the moment. You keep your place in line.",
    still_working: "Still working. Nothing is lost if you leave.",
    slower_than_usual: "Slower than usual, and still on its way.",
    confirming: "Nothing is lost, and nothing is bought twice.",
    retrying: "You don't need to do anything.",
  },
  expected: (ms) => `Expected ${about(ms)}.`,
  queued: (position, capped) =>
    position === 0 ? "Next in line." : `${position}${capped ? " or more" : ""} before this one.`,
};

/**
 * The text for a job or one of its tasks.
 *
 * @param options.now milliseconds since the epoch, for the notice's estimate
 */
export const waitingText = (
  state: { status: string; phase: string; notice: { code: string; message: string; eta?: string } | null },
  { texts = englishTexts, now = Date.now() }: { texts?: Texts; now?: number } = {},
): WaitingText => {
  const ended = (texts.statuses as Record<string, string>)[state.status];
  if (ended !== undefined) return { line: ended };
  // A phase of a newer server is work of some kind.
  const line = (texts.phases as Record<string, string>)[state.phase] ?? texts.phases.running;
  const { notice } = state;
  if (!notice || state.phase === "canceling") return { line };
  const eta = notice.eta === undefined ? Number.NaN : Date.parse(notice.eta) - now;
  const hint = texts.notices[notice.code] ?? notice.message;
  return { line, hint: Number.isNaN(eta) ? hint : `${hint} ${texts.expected(eta)}` };
};
