import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Database,
  defineJob,
  Engine,
  PodbaseError,
  type Report,
  RunPod,
  type SubmitRequest,
} from "../src/index.ts";

const note = defineJob({
  kind: "note",
  input: z.object({ topic: z.string().min(1).trim(), when: z.iso.date().optional() }),
  reuse: { scope: "user", ttlMs: 1000 },
  tasks: { text: { route: "gpu", input: ({ input }) => ({ ...input }), output: z.object({}) } },
});

function engineOver(more: Partial<Database> = {}) {
  const submitted: SubmitRequest[][] = [];
  const reports: Report[] = [];
  const database: Partial<Database> = {
    submitJobs: async (requests) => {
      submitted.push(requests);
      return requests.map((_, n) => ({ job: `j${n}`, created: true }));
    },
    recordReport: async (report) => {
      reports.push(report);
      return { verdict: "applied", proceed: false, claims: [] };
    },
    ...more,
  };
  const engine = new Engine({
    jobs: { note },
    database: database as Database,
    storage: { signUpload: async (path) => path, remove: async () => {} },
    runpod: new RunPod({ apiKey: "k", fetch: async () => Response.json({ id: "x", status: "IN_QUEUE" }) }),
    webhookUrl: "https://p/functions/v1/runpod-webhook",
  });
  return { engine, submitted, reports };
}

describe("many requests at once", () => {
  it("are submitted validated, in one call, and always made anew", async () => {
    const { engine, submitted } = engineOver();
    const made = await engine.requestMany("u1", [
      { kind: "note", input: { topic: " tea " } },
      { kind: "note", input: { topic: "rain" }, idempotencyKey: "k" },
    ]);
    expect(made).toEqual([
      { job: "j0", created: true },
      { job: "j1", created: true },
    ]);
    expect(submitted).toHaveLength(1);
    expect(submitted[0]).toMatchObject([
      { user: "u1", kind: "note", input: { topic: "tea" } },
      { user: "u1", kind: "note", input: { topic: "rain" }, idempotencyKey: "k" },
    ]);
    expect(submitted[0]!.map(({ plan }) => "reuse" in plan)).toEqual([false, false]);
  });

  it("are refused together, each bad one by its path", async () => {
    const { engine, submitted } = engineOver();
    const refused = await engine
      .requestMany("u1", [
        { kind: "note", input: { topic: "tea" } },
        { kind: "note", input: { topic: "", when: "soon" } },
        { kind: "constructor", input: {} },
        { kind: "note", input: null },
      ])
      .catch((error) => error);
    expect(refused).toMatchObject({ code: "invalid_input", status: 400 });
    expect(refused.issues.map(({ path }: { path: unknown }) => path)).toEqual([
      ["jobs", 1, "input", "topic"],
      ["jobs", 1, "input", "when"],
      ["jobs", 2, "kind"],
      ["jobs", 3, "input"],
    ]);
    expect(submitted).toEqual([]);
  });

  it("name the idempotency key that was used for another request", async () => {
    const conflict = new PodbaseError("idempotency_conflict", "used", { cause: { details: "b", hint: "1" } });
    const { engine } = engineOver({ submitJobs: () => Promise.reject(conflict) });
    const item = (idempotencyKey: string) => ({ kind: "note", input: { topic: "tea" }, idempotencyKey });
    await expect(engine.requestMany("u1", [item("a"), item("b"), item("b")])).rejects.toMatchObject({
      code: "idempotency_conflict",
      issues: [{ path: ["jobs", 1, "idempotencyKey"], message: "used" }],
    });
  });
});

describe("an output that no database takes", () => {
  it.each([
    ["nested too deep", JSON.parse(`{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`)],
    ["with a NUL", { a: "\0" }],
    ["with half a surrogate pair", { a: { b: "\ud800" } }],
  ])("%s fails the attempt instead of the report", async (_what, output) => {
    const { engine, reports } = engineOver();
    await engine.report({
      attempt: "a",
      source: "poll",
      kind: "note",
      task: "text",
      status: "COMPLETED",
      output,
    });
    expect(reports).toMatchObject([{ class: "invalid_output", error: expect.stringContaining("a") }]);
    expect(reports[0]).not.toHaveProperty("output");
  });
});

it("a report about a task named as one of Object's own properties goes to the database as it is", async () => {
  const { engine, reports } = engineOver();
  for (const [kind, task] of [
    ["note", "constructor"],
    ["constructor", "name"],
    ["__proto__", "toString"],
  ] as const) {
    await engine.report({ attempt: "a", source: "webhook", kind, task, status: "COMPLETED", output: {} });
  }
  expect(reports).toHaveLength(3);
});
