import { expect, it } from "vitest";
import { createPodbaseServer } from "../src/server.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";

it("a server's look at its jobs that has no answer for half a minute is given up, and another one follows", async () => {
  const supabase = createFakeSupabase();
  const runtime = createFakeRuntime();
  const problems: string[] = [];
  const server = createPodbaseServer(supabase.client, {
    jobs: {},
    runtime,
    onProblem: ({ code }) => problems.push(code),
  });
  supabase.intercept(() => new Promise(() => {}));
  const ended: string[] = [];
  void server.awaitResult(jobId(1)).then((job) => ended.push((job as { id: string }).id));
  await runtime.advance(20_000);
  supabase.intercept(() => json([jobRow(1, { status: "completed", phase: "done" })]));
  await runtime.advance(14_000);
  expect(ended).toEqual([jobId(1)]);
  expect(problems).toEqual(["network"]);
  server.close();
  expect(runtime.pending()).toBe(0);
});
