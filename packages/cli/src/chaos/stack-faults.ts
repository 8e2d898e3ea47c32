import { rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "@podbase/simulator";
import type { Arena } from "./arena.ts";
import { inTime } from "./in-time.ts";

/**
 * Begins a fault of the stack. What it gives ends it; without, it was over at once. "missed": there was nothing to strike
 * until `signal` fired.
 */
export type Strike = (
  arena: Arena,
  random: Random,
  signal: AbortSignal,
) => Promise<(() => Promise<void> | void) | "missed" | undefined>;

const FUNCTIONS = ["request-job", "runpod-webhook", "reconcile"] as const;
const LOOK_MS = 20;
/** For one statement or call; then it is made again. */
const PATIENCE_MS = 20_000;

/** What goes wrong on the side of Supabase, by the name of the fault class. */
export const STACK_FAULTS = {
  "functions-killed": async ({ stack }, random, signal) => {
    // Until one serves: each starts with its next call, which takes a busy machine longer than the next hit.
    const first = random.within([0, FUNCTIONS.length - 1]);
    while (!signal.aborted) {
      for (let n = 0; n < FUNCTIONS.length; n++) {
        if (await stack.functions.kill(FUNCTIONS[(first + n) % FUNCTIONS.length] as string)) return undefined;
      }
      await delay(LOOK_MS);
    }
    return "missed";
  },
  "database-restarted": async ({ stack }) => {
    stack.postgres.kill();
    return undefined;
  },
  "gateway-cut": async ({ stack }) => stack.cutGateway(),
  "cron-stopped": async ({ stack }) => {
    const set = (active: boolean) =>
      inTime(
        stack.sql`update cron.job set active = ${active} where jobname = 'podbase-tick'`.execute(),
        PATIENCE_MS,
      );
    await set(false);
    return async () => void (await set(true));
  },
  "cron-doubled": async ({ stack }) => {
    // A second schedule of the same command, and ticks and calls that nobody asked for.
    const schedule = stack.sql`select cron.schedule('podbase-tick-again', '1 second', 'select podbase_private.tick()')`;
    await inTime(schedule.execute(), PATIENCE_MS);
    const tick = () => stack.sql`select podbase_private.tick()`.execute();
    const reconcile = () =>
      fetch(`${stack.url}/functions/v1/reconcile`, {
        method: "POST",
        headers: { apikey: stack.secretKeys.podbase ?? "" },
      });
    await inTime(Promise.all([tick(), tick(), tick(), reconcile(), reconcile()]), PATIENCE_MS);
    // Not by unschedule, which fails when its answer was lost and it is called again.
    return async () => {
      const again = stack.sql`delete from cron.job where jobname = 'podbase-tick-again'`;
      await inTime(again.execute(), PATIENCE_MS);
    };
  },
  "storage-full": async ({ dataDir }) => {
    // Storage has no place to put an upload: it answers as with a full disk, and what it has stays readable.
    const incoming = join(dataDir, "objects", "incoming");
    await rename(incoming, `${incoming}.away`);
    return () => rename(`${incoming}.away`, incoming);
  },
} satisfies Record<string, Strike>;
