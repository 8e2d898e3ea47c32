import type { Claim, SubmitResult } from "@podbase/core";
import { createTestDatabase } from "@podbase/local/testing";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let sql: postgres.Sql;
const plans: string[] = [];
const user = "11111111-1111-4111-8111-111111111111";
const request = { user, kind: "plan", input: {}, plan: { tasks: [{ name: "text", route: "gpu" }] } };

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.superuserUrl, {
    max: 1,
    onnotice: ({ message }) => void plans.push(message ?? ""),
  });
  await sql`insert into auth.users (id, email) values (${user}, 'plans@example.com')`;
  await sql`select podbase.configure(${sql.json({
    endpoints: { one: { providerId: "ep-one", maxInFlight: 1000, maxRunsPer10s: 100_000 } },
    routes: { gpu: ["one"] },
  })})`;
  // auto_explain shows what runs inside the functions, with the plans they keep.
  await sql`load 'auto_explain'`;
  for (const setting of ["log_min_duration = 0", "log_nested_statements = on", "log_analyze = on"]) {
    await sql.unsafe(`set auto_explain.${setting}`);
  }
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

/** Runs a call of the engine and gives its result. */
async function call<T>(name: string, argument: unknown): Promise<T> {
  const [row] = await sql.unsafe(`select podbase.${name}($1) as result`, [argument as never]);
  return row!.result as T;
}

describe("hot statements", () => {
  it("reach every table of the engine through an index, however empty it was at first", async () => {
    const lifecycle = async () => {
      const { claims } = await call<SubmitResult>("submit_job", request);
      await call("submit_jobs", [request, request]);
      const all = claims.concat(await call<Claim[]>("claim_tasks", 10));
      await call(
        "record_submissions",
        all.map(({ attempt }) => ({ attempt, outcome: "accepted", providerId: attempt })),
      );
      for (const { attempt, token, kind, task } of all) {
        const report = { attempt, token, kind, task, source: "webhook" };
        await call("record_report", { ...report, status: "IN_PROGRESS" });
        await call("record_report", { ...report, status: "COMPLETED", output: {} });
      }
      await call("claim_polls", 10);
      await call("claim_cancels", 10);
      await sql`select podbase_private.tick()`;
    };
    await lifecycle();
    await call(
      "submit_jobs",
      Array.from({ length: 500 }, () => request),
    );
    await call("claim_tasks", 300);
    await sql`analyze`;
    await sql`set client_min_messages = log`;
    plans.length = 0;
    await lifecycle();
    await sql`reset client_min_messages`;

    const shown = plans.filter((plan) => plan.includes("plan:"));
    expect(shown.length).toBeGreaterThan(50);
    const text = shown.join("\n");
    for (const table of [
      "jobs",
      "tasks",
      "task_schedule",
      "attempts",
      "job_events",
      "endpoints",
      "settings",
    ]) {
      expect(text, table).toMatch(new RegExp(`Index (Only )?Scan using \\w+ on ${table}|Insert on ${table}`));
    }
    expect(shown.filter((plan) => /Seq Scan on (?!pg_)/.test(plan))).toEqual([]);
    // None reads much more than it takes.
    expect(text).not.toMatch(/Rows Removed by Filter: \d{3,}/);
    // Save for the count of live attempts, which ends at the endpoint's cap.
    const many = /Scan using (?!attempts_live)\w+ on \w+ .*actual[^)]* rows=\d{3,} /;
    expect(shown.filter((plan) => many.test(plan))).toEqual([]);
    expect(text).not.toContain("JIT:");
  });
});
