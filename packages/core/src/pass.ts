import type {
  Cancel,
  Claim,
  EndpointRef,
  HealthSnapshot,
  PassSummary,
  Poll,
  ReportResult,
  Unanswered,
} from "./contracts.ts";
import { inParallel } from "./parallel.ts";
import type { Clock, Database, Storage } from "./ports.ts";
import { reportOf } from "./report-of.ts";
import type { RunPod, Unavailable } from "./runpod.ts";
import type { Turns } from "./turns.ts";

/** Cancels at once: RunPod takes a fifth as many of them as of other calls (docs.runpod.io, rate limits). */
const CANCELS_AT_ONCE = 5;
/** Asked for in one go. */
const BATCH = 50;
/** Endpoints whose health one pass reads. */
const CHECKS = 20;
/** Files that one pass deletes. */
const FILES = 500;

/** What a pass needs of the engine. */
export interface PassParts {
  database: Database;
  storage: Storage;
  runpod: RunPod;
  clock: Clock;
  /** Calls to RunPod at once, for submissions and for polls. */
  concurrency: number;
  /** Posts claims and records what came of them. */
  dispatch: (claims: Claim[]) => Promise<void>;
  /** Looks one attempt up and records what is found. */
  poll: (poll: Poll) => Promise<Unavailable | undefined>;
}

/**
 * One round of everything that may be due: cancels, submissions, polls and health, side by side, so that none waits for
 * another. Each goes on until nothing of it is due or `deadlineMs` (epoch) has come; the next pass takes the rest. What
 * throws, throws alone: it is counted and found again by a later pass. Ends by telling the database, in whose heartbeat
 * "reconcile" the result then stands.
 */
export async function runPass(parts: PassParts, deadlineMs: number): Promise<PassSummary> {
  const { database, storage, runpod, clock, concurrency } = parts;
  const began = clock.now();
  const unanswered: Unanswered[] = [];
  const thrown: unknown[] = [];
  let refused = 0;

  const alone =
    <T>(work: (item: T) => Promise<void>) =>
    (item: T) =>
      work(item).catch((error) => {
        thrown.push(error);
      });
  const noAnswer = (attempt: string, call: Unanswered["call"], found: Unavailable) => {
    if (found.refused) refused += 1;
    const { retryAfterMs } = found;
    unanswered.push({ attempt, call, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  };
  // What is taken but not begun by then, because RunPod takes long to answer, is due again in a minute at most.
  const isOver = () => clock.now() >= deadlineMs;
  /** Takes and works until there is nothing to take; gives how much that was. */
  const lane = async <T>(take: () => Promise<T[]>, work: (items: T[]) => Promise<void>): Promise<number> => {
    let done = 0;
    while (!isOver()) {
      const items = await take();
      if (items.length === 0) break;
      await work(items);
      done += items.length;
    }
    return done;
  };

  const cancel = async (each: Cancel) => {
    if (isOver()) return;
    const answer = await runpod.cancel(each.endpoint.providerId, each.providerId);
    if (answer.kind === "unavailable") noAnswer(each.attempt, "cancel", answer);
    else await database.recordCancels([each.attempt]);
  };
  const poll = async (each: Poll) => {
    if (isOver()) return;
    const found = await parts.poll(each);
    if (found) noAnswer(each.attempt, "status", found);
  };
  const check = async () => {
    const endpoints = await database.claimHealth(CHECKS);
    const snapshots: HealthSnapshot[] = [];
    const read = async ({ name, providerId }: EndpointRef) => {
      const health = await runpod.health(providerId);
      if (health.kind === "health")
        snapshots.push({ endpoint: name, workers: health.workers, jobs: health.jobs });
      else if (health.refused) refused += 1;
    };
    await inParallel(endpoints, concurrency, alone(read));
    if (snapshots.length > 0) await database.recordHealth(snapshots);
    return snapshots.length;
  };

  // A lane whose claim throws must not end the others, nor the word to the database.
  const lanes = await Promise.allSettled([
    lane(
      () => database.claimCancels(BATCH),
      (cancels) => inParallel(cancels, CANCELS_AT_ONCE, alone(cancel)),
    ),
    lane(() => database.claimTasks(BATCH), alone(parts.dispatch)),
    lane(
      () => database.claimPolls(BATCH),
      (polls) => inParallel(polls, concurrency, alone(poll)),
    ),
    check(),
  ]);
  const [canceled, submitted, polled, checked] = lanes.map((each) => {
    if (each.status === "fulfilled") return each.value;
    thrown.push(each.reason);
    return 0;
  }) as [number, number, number, number];
  // Last, and one batch however busy it is: a Storage that is down then holds up nothing else.
  let filesDeleted = 0;
  await alone(async () => {
    const files = await database.claimFileDeletes(FILES);
    if (files.length === 0) return;
    await storage.remove(files.map(({ path }) => path));
    filesDeleted = await database.recordFileDeletes(files.map(({ id }) => id));
  })(undefined);
  const summary: PassSummary = {
    ms: Math.round(clock.now() - began),
    submitted,
    polled,
    canceled,
    checked,
    filesDeleted,
    refused,
    failed: thrown.length,
    ...(thrown.length > 0 ? { error: String(thrown[0]).slice(0, 500) } : {}),
    unanswered,
  };
  await database.recordPass(summary);
  return summary;
}

/**
 * Looks an attempt up with `/status` and reports what RunPod says; no answer is given back, and is no news. Big results
 * take turns: one of 20 MB takes some 120 MB until it is recorded, and a function has 256
 * (supabase.com/docs/guides/functions/limits). Ten at once would end it each time, until RunPod has forgotten them.
 */
export async function pollOnce(
  runpod: RunPod,
  turns: Turns,
  report: (
    report: Parameters<Database["recordReport"]>[0],
  ) => Promise<ReportResult & { dispatched: Promise<void> }>,
  poll: Poll,
): Promise<Unavailable | undefined> {
  // One turn, however many answers it takes: the first may refuse one of two keys.
  let turn: Promise<() => void> | undefined;
  const room = async () => {
    turn ??= turns.take();
    await turn;
  };
  let dispatched: Promise<void>;
  try {
    const found = await runpod.status(poll.endpoint.providerId, poll.providerId, room);
    if (found.kind === "unavailable") return found;
    const about = { attempt: poll.attempt, source: "poll", kind: poll.kind, task: poll.task } as const;
    ({ dispatched } = await report(
      found.kind === "not_found" ? { ...about, status: "NOT_FOUND" } : { ...about, ...reportOf(found.job) },
    ));
  } finally {
    (await turn)?.();
  }
  await dispatched;
  return undefined;
}
