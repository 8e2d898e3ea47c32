/**
 * The engine against chance: fast-check mixes requests, claims, POSTs and their answers, workers, webhooks, polls,
 * cancels, time and crashes between any two calls, and drives them against a real database beside a small model of
 * RunPod. After each step the invariants of invariants.ts hold; then everything is let settle, and those of
 * history.ts hold.
 *
 *     npx vitest run test/engine                       100 runs, the same ones each time
 *     PODBASE_RUNS=2000 npx vitest run test/engine     the long mode (also: npm run test:long), others each time
 *     PODBASE_SEED=… [PODBASE_PATH=…]                  these runs; the path leads to a failing case
 */
import { createTestDatabase } from "@podbase/local/testing";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { commands } from "./commands.ts";
import { checkHistory } from "./history.ts";
import { seedOf } from "./seed.ts";
import { EngineSession } from "./session.ts";
import { settle } from "./settle.ts";
import { World } from "./world.ts";

const RUNS = Number(process.env.PODBASE_RUNS ?? 100);
const SEED = seedOf(RUNS > 100);

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: EngineSession;
beforeAll(async () => {
  database = await createTestDatabase();
  db = await EngineSession.open(database.superuserUrl);
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

it("keeps its promises however calls, losses, crashes and time are mixed", {
  timeout: RUNS * 3000 + 60_000,
}, async () => {
  let steps = 0;
  const property = fc.asyncProperty(
    fc.commands(commands, { maxCommands: 120, size: "max" }),
    fc.boolean(),
    async (sequence, lostWebhooks) => {
      const world = await World.create(db);
      try {
        await fc.asyncModelRun(() => ({ model: world, real: db }), sequence);
        await checkHistory(world, db, await settle(world, db, lostWebhooks));
        steps += world.steps;
      } finally {
        await world.remove(db);
      }
    },
  );
  const path = process.env.PODBASE_PATH;
  await fc.assert(property, { numRuns: RUNS, seed: SEED, ...(path === undefined ? {} : { path }) });
  console.log(`engine model: ${RUNS} runs, ${steps} steps, PODBASE_SEED=${SEED}`);
  expect(steps).toBeGreaterThan(RUNS);
});
