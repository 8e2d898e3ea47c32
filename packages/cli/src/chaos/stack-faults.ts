import { rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "@podbase/simulator";
import type { Arena } from "./arena.ts";

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
      stack.sql`update cron.job set active = ${active} where jobname = 'podbase-tick'`;
    await set(false);
    return async () => void (await set(true));
  },
  "cron-doubled": async ({ stack }) => {
    // A second schedule of the same command, and ticks and calls that nobody asked for.
    await stack.sql`select cron.schedule('podbase-tick-again', '1 second', 'select podbase_private.tick()')`;
    const tick = () => stack.sql`select podbase_private.tick()`;
    const reconcile = () =>
      fetch(`${stack.url}/functions/v1/reconcile`, {
        method: "POST",
        headers: { apikey: stack.secretKeys.podbase ?? "" },
      });
    await Promise.all([tick(), tick(), tick(), reconcile(), reconcile()]);
    // Not by unschedule, which fails when its answer was lost and it is called again.
    return async () => void (await stack.sql`delete from cron.job where jobname = 'podbase-tick-again'`);
  },
  "storage-full": async ({ dataDir }) => {
    // Storage has no place to put an upload: it answers as with a full disk, and what it has stays readable.
    const incoming = join(dataDir, "objects", "incoming");
    await rename(incoming, `${incoming}.away`);
    return () => rename(`${incoming}.away`, incoming);
  },
} satisfies Record<string, Strike>;
