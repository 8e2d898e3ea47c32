import { defineJob } from "@podbase/core";
import { expect, it } from "vitest";
import { z } from "zod";
import { createPodbaseServer } from "../src/server.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";

const plain = defineJob({
  kind: "plain",
  input: z.object({}),
  tasks: { one: { route: "cpu", input: () => ({}), output: z.object({}) } },
});

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

it("a server that is asked about what is no id says that there is no such job, and goes on with the others", async () => {
  const supabase = createFakeSupabase();
  const runtime = createFakeRuntime();
  const server = createPodbaseServer(supabase.client, { jobs: {}, runtime });
  await expect(server.awaitResult("nope")).rejects.toMatchObject({ code: "job_not_found" });
  expect(await server.cancel("nope")).toMatchObject({ error: { code: "job_not_found" } });
  supabase.intercept(() => json([jobRow(1, { status: "completed", phase: "done" })]));
  const result = server.awaitResult(jobId(1));
  await runtime.advance(1_000);
  expect(await result).toMatchObject({ id: jobId(1) });
  expect(supabase.asked.map(({ body }) => body)).toEqual([{ max_jobs: 1_000, ids: [jobId(1)] }]);
  server.close();
});

it.each([
  ["PB001", 400, "idempotency_conflict"],
  ["PB003", 400, "invalid_input"],
  ["PB007", 400, "payload_too_large"],
  ["PB009", 400, "quota_exceeded"],
  ["23503", 409, "invalid_input"],
])(
  "a server's submission that the database refuses by %s is told as what it is",
  async (code, status, told) => {
    const supabase = createFakeSupabase();
    supabase.intercept(() => json({ code, message: "no" }, status));
    const plain = defineJob({
      kind: "plain",
      input: z.object({}),
      tasks: { one: { route: "cpu", input: () => ({}), output: z.object({}) } },
    });
    const server = createPodbaseServer(supabase.client, { jobs: { plain } });
    const { error } = await server.submit("plain", {}, { userId: "ada" });
    expect(error).toMatchObject({ code: told, status });
    server.close();
  },
);

it("a server tells each end once, however often it is waited for", async () => {
  const supabase = createFakeSupabase();
  const runtime = createFakeRuntime();
  const server = createPodbaseServer(supabase.client, { jobs: {}, runtime });
  const told: string[] = [];
  server.on("failed", (job) => told.push(`failed at ${(job as { version: number }).version}`));
  const wait = async (version: number) => {
    supabase.intercept(() => json([jobRow(1, { status: "failed", phase: "done", version })]));
    const result = server.awaitResult(jobId(1));
    await runtime.advance(1_000);
    return (await result) as { version: number };
  };
  expect(await wait(5)).toMatchObject({ version: 5 });
  expect(await wait(5)).toMatchObject({ version: 5 });
  expect(told).toEqual(["failed at 5"]);
  // After a retry.
  expect(await wait(9)).toMatchObject({ version: 9 });
  expect(told).toEqual(["failed at 5", "failed at 9"]);
  server.close();
});

it("a server tells the end of a job that ended as it was made", async () => {
  const supabase = createFakeSupabase();
  const runtime = createFakeRuntime();
  const server = createPodbaseServer(supabase.client, { jobs: { plain }, runtime });
  const told: string[] = [];
  for (const event of ["submitted", "completed"] as const) server.on(event, () => told.push(event));
  supabase.intercept(({ path }) =>
    json(
      path.endsWith("submit_jobs")
        ? [{ job: jobId(1), created: true }]
        : [jobRow(1, { status: "completed", phase: "done" })],
    ),
  );
  const { data } = await server.submit("plain", {}, { userId: "ada" });
  expect(data?.status).toBe("completed");
  await runtime.advance(1_000);
  expect(told).toEqual(["submitted", "completed"]);
  server.close();
});
