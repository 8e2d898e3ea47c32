import { describe, expect, it } from "vitest";
import { engineOfFile } from "./harness.ts";

const { engine, user } = await engineOfFile();

describe("calls of RunPod", () => {
  it("stay under its limits however much is due", async () => {
    await engine.configure({
      endpoints: { many: { providerId: "ep-many", maxInFlight: 1000, maxRunsPer10s: 100_000 } },
      routes: { many: ["many"] },
    });
    const plan = { tasks: [{ name: "text", route: "many" }] };
    await engine.sql`select podbase.submit_jobs(${engine.sql.json(
      Array.from({ length: 400 }, () => ({
        user,
        kind: "reading",
        input: {},
        plan,
      })) as never,
    )})`;
    const claims = await engine.claim(400);
    expect(claims).toHaveLength(400);
    await engine.accepted(...claims);
    await engine.sql`update podbase_private.attempts set cancel_requested_at = '2020-01-01'`;

    const count = async (ask: () => Promise<unknown[]>) => {
      let total = 0;
      const from = Date.now() + 3_000_000;
      for (let n = 0; n <= 10; n++) {
        const at = new Date(from + 1000 * n).toISOString();
        await engine.sql`select set_config('podbase.now', ${at}, false)`;
        for (let more = -1; more !== 0; total += more) more = (await ask()).length;
      }
      return total;
    };
    const canceled = await count(engine.cancels);
    expect(canceled).toBeGreaterThan(60);
    expect(canceled).toBeLessThanOrEqual(80);
    await engine.sql`update podbase_private.call_budgets set per_10s = 120 where operation = 'status'`;
    const polled = await count(engine.polls);
    expect(polled).toBeGreaterThan(90);
    expect(polled).toBeLessThanOrEqual(120);
  });
});
