import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Claim,
  type Database,
  defineJob,
  Engine,
  type Report,
  type ReportResult,
  RunPod,
  type SubmissionResult,
} from "../src/index.ts";

const note = defineJob({
  kind: "note",
  input: z.object({ topic: z.string().min(1) }),
  tasks: {
    text: {
      route: "gpu",
      input: ({ input }) => ({ ...input }),
      output: z.object({ text: z.string() }),
      artifacts: { text: "text/plain" },
    },
    counted: { route: "gpu", input: () => ({ n: 10n }), output: z.object({ n: z.coerce.bigint() }) },
    broken: {
      route: "gpu",
      input: () => {
        throw new Error("no");
      },
      output: z.strictObject({ text: z.any().transform((text) => text.length) }),
    },
  },
});

const CLAIM: Claim = {
  attempt: "a1",
  token: "t0k3n",
  number: 1,
  job: "j1",
  kind: "note",
  user: "u1",
  task: "text",
  route: "gpu",
  endpoint: { name: "one", providerId: "ep", executionTimeoutMs: 60_000, ttlMs: 120_000 },
  input: { topic: "tea" },
  upstream: {},
  artifacts: { text: "text/plain" },
};

/** An engine over ports that remember what they were told, and a RunPod that answers `answer`. */
function engineWith(
  options: { answer?: Response; now?: () => number; storage?: "down"; posting?: number | Error } = {},
) {
  const submissions: SubmissionResult[] = [];
  const reports: Report[] = [];
  const posts: { url: string; body: Record<string, unknown> }[] = [];
  const database: Database = {
    submitJob: async (request) => ({ job: { id: "j1", request }, created: true, claims: [] }),
    submitJobs: async (requests) => requests.map((_, n) => ({ job: `j${n}`, created: true })),
    claimTasks: async () => [],
    recordSubmissions: async (results) => {
      submissions.push(...results);
      if (results[0]?.outcome !== "posting") return results.length;
      if (options.posting instanceof Error) throw options.posting;
      return options.posting ?? 1;
    },
    recordReport: async (report): Promise<ReportResult> => {
      reports.push(report);
      return { verdict: "applied", proceed: true, claims: [] };
    },
    claimPolls: async () => [],
    claimCancels: async () => [],
    recordCancels: async () => 0,
    claimFileDeletes: async () => [],
    recordFileDeletes: async () => 0,
    recordHint: async () => ({ verdict: "unchanged", proceed: true, claims: [] }),
    claimHealth: async () => [],
    recordHealth: async () => 0,
    recordPass: async () => {},
  };
  const engine = new Engine({
    jobs: { note },
    database,
    storage: {
      signUpload: async (path) => {
        if (options.storage === "down") throw new Error("storage is down");
        return `https://storage/${path}`;
      },
      remove: async () => {},
    },
    runpod: new RunPod({
      apiKey: "key",
      fetch: async (url, init) => {
        posts.push({ url: String(url), body: await new Response(init?.body).json() });
        return options.answer ?? Response.json({ id: "rp1", status: "IN_QUEUE" });
      },
    }),
    webhookUrl: "https://project/functions/v1/runpod-webhook",
    ...(options.now ? { clock: { now: options.now } } : {}),
  });
  return { engine, submissions, reports, posts };
}

describe("a request", () => {
  it("of an unknown kind is refused, inherited names of objects included", async () => {
    const { engine } = engineWith();
    for (const kind of ["nope", "toString", "__proto__", "constructor"]) {
      await expect(engine.request("u1", kind, {})).rejects.toMatchObject({
        code: "unknown_job_kind",
        status: 404,
      });
    }
  });

  it("with bad input names the offending path from the body's root", async () => {
    const { engine } = engineWith();
    await expect(engine.request("u1", "note", { topic: "" })).rejects.toMatchObject({
      code: "invalid_input",
      issues: [{ path: ["input", "topic"] }],
    });
  });
});

describe("dispatch", () => {
  it("posts the task's input with fence, slots, webhook and limits, and records the id", async () => {
    const { engine, submissions, posts } = engineWith();
    await engine.dispatch([CLAIM]);
    expect(submissions).toEqual([{ attempt: "a1", outcome: "accepted", providerId: "rp1" }]);
    const callback = "https://project/functions/v1/runpod-webhook/note/text/a1";
    expect(posts).toEqual([
      {
        url: "https://api.runpod.ai/v2/ep/run",
        body: {
          input: {
            topic: "tea",
            podbase: {
              job: "j1",
              task: "text",
              attempt: "a1",
              callback,
              token: "t0k3n",
              uploads: {
                text: {
                  url: "https://storage/u1/j1/text/a1/text",
                  path: "u1/j1/text/a1/text",
                  contentType: "text/plain",
                },
              },
            },
          },
          webhook: `${callback}?token=t0k3n`,
          policy: { executionTimeout: 60_000, ttl: 120_000 },
        },
      },
    ]);
  });

  it.each([
    ["a task that this deploy does not have", { task: "gone" }],
    ["a task whose input function throws", { task: "broken", artifacts: {} }],
    ["a task whose input is no JSON", { task: "counted", artifacts: {} }],
    ["an input over 9 MiB", { input: { topic: "x".repeat(9 * 1024 * 1024) } }],
  ])("rejects %s as bad input, without a POST", async (_what, change) => {
    const { engine, submissions, posts } = engineWith();
    await engine.dispatch([{ ...CLAIM, ...change }]);
    expect(submissions).toMatchObject([{ outcome: "rejected", class: "bad_input" }]);
    expect(posts).toEqual([]);
  });

  it("posts nothing whose claim grew too old meanwhile", async () => {
    let now = 0;
    const { engine, submissions, posts } = engineWith({ now: () => (now += 20_000) });
    await engine.dispatch([CLAIM, { ...CLAIM, attempt: "a2" }]);
    expect(submissions.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      ["a2", "not_sent"],
      ["a1", "accepted"],
    ]);
    expect(posts).toHaveLength(1);
  });

  it("tells before that it posts what is too dear to buy twice, and does not post what it could not tell", async () => {
    const dear: Claim = { ...CLAIM, submitPolicy: "at_most_once" };
    const [taken, late, away] = [1, 0, new Error("the database is away")].map((posting) =>
      engineWith({ posting }),
    );
    for (const { engine } of [taken!, late!, away!]) await engine.dispatch([dear]);
    expect(taken!.submissions).toEqual([
      { attempt: "a1", outcome: "posting" },
      { attempt: "a1", outcome: "accepted", providerId: "rp1" },
    ]);
    for (const { submissions, posts } of [late!, away!]) {
      expect(submissions).toMatchObject([{ outcome: "posting" }, { outcome: "not_sent" }]);
      expect(posts).toEqual([]);
    }
  });

  it("knows that nothing was sent when storage gives no slots", async () => {
    const { engine, submissions, posts } = engineWith({ storage: "down" });
    await engine.dispatch([CLAIM]);
    expect(submissions).toMatchObject([{ outcome: "not_sent" }]);
    expect(posts).toEqual([]);
  });
});

describe("a report", () => {
  const about = { attempt: "a1", source: "webhook", kind: "note", task: "text" } as const;

  it("of a completed task passes its checked output on, artifacts' digests included", async () => {
    const { engine, reports } = engineWith();
    const podbase = { artifacts: { text: { bytes: 1, sha256: "x" } } };
    await engine.report({ ...about, status: "COMPLETED", output: { text: "hi", extra: 1, podbase } });
    expect(reports).toEqual([{ ...about, status: "COMPLETED", output: { text: "hi", podbase } }]);
  });

  it("of a completed task with an output that does not fit becomes a failure of class invalid_output", async () => {
    const { engine, reports } = engineWith();
    for (const output of [{ text: 1 }, "text", null, undefined]) {
      await engine.report({ ...about, status: "COMPLETED", output });
    }
    expect(reports.map((report) => report.class)).toEqual(Array(4).fill("invalid_output"));
  });

  it("fails when its schema throws over it or makes no JSON of it, and says no more than anybody reads", async () => {
    const { engine, reports } = engineWith();
    await engine.report({ ...about, task: "broken", status: "COMPLETED", output: { text: null } });
    await engine.report({
      ...about,
      task: "broken",
      status: "COMPLETED",
      output: { text: "", ["x".repeat(20_000)]: 1 },
    });
    await engine.report({ ...about, task: "counted", status: "COMPLETED", output: { n: 1 } });
    expect(reports).toMatchObject([
      { class: "invalid_output", error: expect.stringMatching(/the output's schema threw: TypeError/) },
      { class: "invalid_output" },
      { class: "invalid_output", output: { n: 1 }, error: expect.stringContaining("BigInt") },
    ]);
    expect(reports[1]?.error).toHaveLength(10_000);
  });

  it("of a handler that gives back its input keeps the input, and not the token in it", async () => {
    const { engine, reports } = engineWith();
    const token = "0123456789abcdef".repeat(4);
    await engine.report({
      ...about,
      status: "COMPLETED",
      output: { input: { topic: "hi", podbase: { token } } },
    });
    expect(reports[0]).toMatchObject({
      class: "invalid_output",
      output: { input: { topic: "hi", podbase: { token: "[redacted]" } } },
    });
  });
});
