/** Inputs and outputs that are each as big as they may be, and together bigger than an answer or a value can be. */
import type { Claim } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, type PlanTask } from "./harness.ts";

const { engine, user } = await engineOfFile();

const MB = 1_000_000;
const OVER_INPUT = [{ name: "item", route: "gpu", map: { over: "input", path: ["list"] } } as PlanTask];
const open = (enabled: boolean) =>
  engine.configure({ endpoints: { one: { providerId: "ep-one", enabled } } });

/** What each claim after the other hands out, until one hands out nothing. */
async function claimAll(): Promise<Claim[][]> {
  const all: Claim[][] = [];
  for (;;) {
    const claims = await engine.claim(50);
    if (claims.length === 0) return all;
    all.push(claims);
  }
}

describe("claims of big inputs", () => {
  it("are handed out as many at once as 16 MiB hold, each once, and nothing of the others is left behind", async () => {
    await open(false);
    const sizes = [7, 7, 7, 7, 7];
    const ids: string[] = [];
    for (const [n, size] of sizes.entries())
      ids.push((await engine.submit(user, ONE, { input: { n, text: "x".repeat(size * MB) } })).job.id);
    await open(true);
    const all = await claimAll();
    expect(all.map((each) => each.length)).toEqual([2, 2, 1]);
    const claims = all.flat();
    expect(claims.map(({ job }) => job).sort()).toEqual(ids.sort());
    expect(claims.every(({ number }) => number === 1)).toBe(true);
    expect(await engine.sql`select from podbase_private.attempts`).toHaveLength(5);
    expect(await engine.sql`select from podbase_private.task_schedule where attempts_made <> 1`).toHaveLength(
      0,
    );
    await engine.accepted(...claims);
    for (const claim of claims) expect((await engine.complete(claim)).verdict).toBe("applied");
    expect(await engine.sql`select from podbase.jobs where status = 'completed'`).toHaveLength(5);
  });

  it("hold up nobody else's, and neither do those of a list over a big upstream", async () => {
    const plan = [
      { name: "plan", route: "gpu" },
      { name: "item", route: "gpu", after: ["plan"], map: { over: "plan", path: ["list"] } },
    ] as PlanTask[];
    const { claims } = await engine.submit(user, plan);
    await open(false);
    await engine.complete(claims[0]!, { list: [1, 2, 3, 4, 5], text: "x".repeat(5 * MB) });
    const other = await engine.submit(await engine.user(), ONE);
    await open(true);
    const all = await claimAll();
    expect(all.flat()).toHaveLength(6);
    expect(all.flat().filter(({ job }) => job === other.job.id)).toHaveLength(1);
    expect(Math.max(...all.map((each) => each.length))).toBeLessThanOrEqual(4);
  });

  it("keep their turn, and a slot of a user who may have only so many", async () => {
    await engine.configure({ users: { [user]: { maxInFlight: 2 } } });
    await open(false);
    const input = { text: "x".repeat(9 * MB) };
    const first = await engine.submit(user, ONE, { input });
    const second = await engine.submit(user, ONE, { input });
    const third = await engine.submit(user, ONE);
    await open(true);
    try {
      const all = await claimAll();
      expect(all.map((claims) => claims.length)).toEqual([1, 1]);
      expect(
        all
          .flat()
          .map(({ job }) => job)
          .sort(),
      ).toEqual([first.job.id, second.job.id].sort());
      const { claims } = await engine.complete(all[0]![0]!);
      expect(claims.map(({ job }) => job)).toEqual([third.job.id]);
    } finally {
      await engine.configure({ users: { [user]: {} } });
    }
  });
});

describe("a map whose items' outputs are over 100 MB together", () => {
  it("fails, because no answer could hold it", async () => {
    const list = [1, 2, 3, 4, 5, 6];
    const { job, claims } = await engine.submit(user, OVER_INPUT, { input: { list } });
    for (const claim of claims.slice(1)) await engine.complete(claim);
    await engine.sql`update podbase.tasks set output = to_jsonb(repeat('x', ${20 * MB}))
                     where job_id = ${job.id} and status = 'completed'`;
    expect((await engine.complete(claims[0]!)).verdict).toBe("applied");
    const [row] = await engine.sql`select status, error from podbase.jobs where id = ${job.id}`;
    const error = { code: "invalid_output", message: expect.stringContaining("100 MB") };
    expect(row).toEqual({ status: "failed", error });
    const map = engine.sql`select status, error, output from podbase.tasks where job_id = ${job.id} and name = 'item'`;
    expect(await map).toEqual([{ status: "failed", error, output: null }]);
  });
});
