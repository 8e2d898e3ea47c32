import { setTimeout as delay } from "node:timers/promises";
import { accountOf } from "./account.ts";
import { type Arena, SCALE } from "./arena.ts";
import { type Certificate, isHeld } from "./certificate.ts";
import type { FaultName } from "./faults.ts";
import { inTime } from "./in-time.ts";
import { Ledger } from "./ledger.ts";
import { planRequests, RATE, sendRequests, signUpUsers } from "./requests.ts";
import { readRows } from "./rows.ts";
import { scheduleOf } from "./schedule.ts";
import { startStorm } from "./storm.ts";

/** What to run. */
export interface ChaosOptions {
  jobs: number;
  seed: string;
  /** This class alone; all of them together if absent. */
  fault?: FaultName;
  /** How long to watch that nothing is called when nothing is to do, in seconds. */
  idleSeconds: number;
  log: (line: string) => void;
}

/** No storm is shorter, so that few jobs meet a fault as well. */
const SHORTEST_STORM_MS = 2500;
/** Faults go on for at most so many times as long as requests would take without them. */
const LONGEST_STORM = 3;
/**
 * How long after the storm, and after the last request that was answered or work that was begun, whatever is still open has
 * to end: the leases, windows and time to live of the arena. A busy machine may need longer than one such time for all.
 */
const CALM_MS = 300_000;
const LONGEST_CALM = 4;
const LOOK_MS = 250;
/** For what is asked of the database at the end, and then asked again. */
const PATIENCE_MS = 60_000;

/** Runs jobs under faults, waits for their ends and draws up the account. */
export async function runChaos(arena: Arena, options: ChaosOptions): Promise<Certificate> {
  const { jobs, seed, fault, log } = options;
  const startedAt = Date.now();
  await arena.reset();
  arena.ledger = new Ledger();
  const ledger = arena.ledger;
  const users = await signUpUsers(arena);
  const requests = planRequests(seed, jobs, users);
  const stormMs = Math.max(SHORTEST_STORM_MS, (jobs * 1000) / RATE);
  const hits = scheduleOf(seed, LONGEST_STORM * stormMs, fault);
  const callsBefore = arena.stack.functions.calls();

  log(`${jobs} requests in ${Math.round(stormMs / 1000)} s, or as long as the faults hold them up …`);
  const deadline = new AbortController();
  const storm = startStorm(arena, hits, seed);
  const sending = sendRequests(arena, requests, deadline.signal);
  // Awaited below; until then its failure is nobody's.
  sending.catch(() => {});
  const answered = () => requests.filter(({ job }) => job !== undefined).length;
  const watch = setInterval(() => {
    log(`${answered()} of ${jobs} requests answered, ${ledger.executions.length} pieces of work begun`);
  }, 10_000);
  let quiet: NodeJS.Timeout | undefined;
  try {
    const made = Promise.all([sending, delay(stormMs)]);
    // Not a reason to stay when all has ended sooner.
    const longest = delay(LONGEST_STORM * stormMs, undefined, { ref: false });
    await Promise.race([made, longest, storm.failure]);
    await storm.calm();
    log("The storm is over; waiting for what is open …");
    quiet = endOfQuiet(() => answered() + ledger.executions.length, deadline);
    await sending;
    await untilEnded(arena, users, ledger, deadline.signal);
  } finally {
    clearInterval(watch);
    clearInterval(quiet);
    deadline.abort();
    await storm.end();
  }

  const callsAfter = arena.stack.functions.calls();
  const idle = await idleCalls(arena, options.idleSeconds);
  const ids = users.map(({ id }) => id);
  const read = () => inTime(readRows(arena.stack.sql, ids), PATIENCE_MS);
  const rows = await read().catch(read);
  const account = accountOf(requests, ledger, rows);
  const names = Object.keys(callsAfter).sort();
  return {
    jobs,
    ...account,
    guaranteeHeld: isHeld(account),
    faults: storm.counts,
    seed,
    scale: SCALE,
    functionCalls: {
      perJob: Object.fromEntries(
        names.map((name) => [name, ((callsAfter[name] ?? 0) - (callsBefore[name] ?? 0)) / jobs]),
      ),
      idle,
      idleSeconds: options.idleSeconds,
    },
    seconds: Math.round((Date.now() - startedAt) / 1000),
  };
}

/** Fires `deadline` once `progress` has not grown for `CALM_MS`, or after `LONGEST_CALM` times that. */
function endOfQuiet(progress: () => number, deadline: AbortController): NodeJS.Timeout {
  const since = Date.now();
  let moved = { at: since, to: progress() };
  return setInterval(() => {
    const now = Date.now();
    if (progress() > moved.to) moved = { at: now, to: progress() };
    if (now - moved.at > CALM_MS || now - since > LONGEST_CALM * CALM_MS) deadline.abort();
  }, LOOK_MS);
}

/** Waits until every job has ended and RunPod has nothing left to do, or `signal` fires. */
async function untilEnded(
  { stack }: Arena,
  users: { id: string }[],
  ledger: Ledger,
  signal: AbortSignal,
): Promise<void> {
  const ids = users.map(({ id }) => id);
  while (!signal.aborted) {
    const count = stack.sql<{ open: number }[]>`
      select count(*)::int as open from podbase.jobs where user_id = any (${ids}::uuid[]) and finished_at is null`;
    // Without an answer the next look finds out.
    const [row] = await inTime(count.execute(), PATIENCE_MS).catch(() => []);
    if (row?.open === 0 && ledger.open === 0) return;
    await delay(LOOK_MS);
  }
}

/** Calls of functions while nothing is to do. */
async function idleCalls({ stack }: Arena, seconds: number): Promise<number> {
  const sum = () => Object.values(stack.functions.calls()).reduce((total, count) => total + count, 0);
  if (seconds === 0) return 0;
  // What the last jobs left: webhooks that come twice, cancels of what was superseded.
  await delay(2000);
  const before = sum();
  await delay(seconds * 1000);
  return sum() - before;
}
