import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Arena, startArena } from "../../packages/cli/src/chaos/arena.ts";
import { FAULT_NAMES } from "../../packages/cli/src/chaos/faults.ts";
import { runChaos } from "../../packages/cli/src/chaos/run.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The whole stack with functions under Deno; `npm run chaos` does the same with more jobs and all faults at once. */
describe("under each class of faults alone", { timeout: 180_000 }, () => {
  let arena: Arena;
  beforeAll(async () => {
    arena = await startArena(ROOT, { ttlMs: 45_000 });
  });
  afterAll(() => arena.stop());

  it.each(FAULT_NAMES)("%s: nothing is lost, no effect doubled, nothing paid twice", async (fault) => {
    const certificate = await runChaos(arena, { jobs: 6, seed: "1", fault, idleSeconds: 0, log: () => {} });
    expect(certificate.findings).toEqual([]);
    expect(certificate.guaranteeHeld).toBe(true);
    expect(certificate.faults[fault]).toBeGreaterThan(0);
    // What is too dear to be bought twice may be given up, aloud, when nobody can know whether RunPod got it.
    const givenUp = certificate.failures.lost_unconfirmed ?? 0;
    expect(certificate.completed + givenUp).toBe(6);
    if (fault.startsWith("webhooks")) expect(certificate.completed).toBe(6);
  });
});
