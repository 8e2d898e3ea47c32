import { describe, expect, it } from "vitest";
import type { Claim, EndpointRef, HealthSnapshot, PassSummary, Poll, Report } from "../src/index.ts";
import { Engine, PodbaseError, RunPod } from "../src/index.ts";

const ENDPOINT = { name: "one", providerId: "ep" };
const poll = (attempt: string): Poll => ({
  attempt,
  providerId: `${attempt}-u1`,
  endpoint: ENDPOINT,
  kind: "note",
  task: "text",
});

/** Gives the batches one after the other, then nothing. */
const inTurn =
  <T>(batches: T[][]) =>
  async () =>
    batches.shift() ?? [];

/** An answer about a job, after so many blanks: each, and then the answer, is made when it is read. */
const streamed = (blanks: number[], onEnd: () => unknown, status = 200) => {
  const parts = [...blanks.map((count) => " ".repeat(count)), '{"status":"IN_PROGRESS"}'];
  const body = new ReadableStream(
    {
      async pull(controller) {
        if (parts.length === 1) await onEnd();
        controller.enqueue(new TextEncoder().encode(parts.shift()));
        if (parts.length === 0) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { status });
};

/** An engine for passes: what the database hands out, and a RunPod that answers by path. */
function passWith(options: {
  polls?: Poll[][];
  cancels?: Poll[][];
  endpoints?: EndpointRef[];
  answer?: (path: string) => Response | Promise<Response>;
  now?: () => number;
  recordReport?: (report: Report) => void;
  claimTasks?: () => Promise<Claim[]>;
  files?: string[];
  storageIsDown?: boolean;
  nextApiKey?: string;
}) {
  const deleted: (number | string)[] = [];
  const calls: string[] = [];
  const reports: Report[] = [];
  const canceled: string[] = [];
  const health: HealthSnapshot[] = [];
  const told: PassSummary[] = [];
  const clock = { now: options.now ?? (() => 0) };
  const engine = new Engine({
    jobs: {},
    database: {
      submitJob: () => Promise.reject(new Error("no")),
      submitJobs: () => Promise.reject(new Error("no")),
      claimTasks: options.claimTasks ?? (async () => []),
      recordSubmissions: async () => 0,
      recordReport: async (report) => {
        options.recordReport?.(report);
        reports.push(report);
        return { verdict: "applied", proceed: true, claims: [] };
      },
      recordHint: () => Promise.reject(new Error("no")),
      claimPolls: inTurn(options.polls ?? []),
      claimCancels: inTurn(options.cancels ?? []),
      recordCancels: async (attempts) => canceled.push(...attempts),
      claimFileDeletes: async () => (options.files ?? []).map((path, id) => ({ id, path })),
      recordFileDeletes: async (files) => deleted.push(...files),
      claimHealth: async () => options.endpoints ?? [],
      recordHealth: async (snapshots) => health.push(...snapshots),
      recordPass: async (summary) => void told.push(summary),
    },
    storage: {
      signUpload: async () => "",
      remove: async (paths) => {
        if (options.storageIsDown) throw new Error("storage is down");
        deleted.push(...paths);
      },
    },
    runpod: new RunPod({
      apiKey: "key",
      ...(options.nextApiKey === undefined ? {} : { nextApiKey: options.nextApiKey }),
      clock,
      fetch: async (url) => {
        const path = String(url).replace("https://api.runpod.ai/v2/ep/", "");
        calls.push(path);
        return options.answer?.(path) ?? Response.json({ status: "IN_PROGRESS" });
      },
    }),
    webhookUrl: "https://p/w",
    clock,
  });
  return { engine, deleted, calls, reports, canceled, health, told };
}

describe("a pass", () => {
  it("does everything that is due, then tells the database", async () => {
    const { engine, reports, canceled, health, told } = passWith({
      polls: [[poll("a"), poll("b")], [poll("c")]],
      cancels: [[poll("d")]],
      endpoints: [ENDPOINT],
      answer: (path) =>
        path === "health"
          ? Response.json({ jobs: { inQueue: 1, inProgress: 0 }, workers: { idle: 0, throttled: 1 } })
          : Response.json({ status: "IN_PROGRESS" }),
    });
    const summary = await engine.pass(1);
    expect(summary).toEqual({
      ms: 0,
      submitted: 0,
      polled: 3,
      canceled: 1,
      checked: 1,
      filesDeleted: 0,
      refused: 0,
      failed: 0,
      unanswered: [],
    });
    expect(reports.map(({ attempt, status }) => [attempt, status])).toEqual([
      ["a", "IN_PROGRESS"],
      ["b", "IN_PROGRESS"],
      ["c", "IN_PROGRESS"],
    ]);
    expect(canceled).toEqual(["d"]);
    expect(health).toMatchObject([{ endpoint: "one", workers: { throttled: 1 }, jobs: { inQueue: 1 } }]);
    expect(told).toEqual([summary]);
  });

  it("leaves the rest to the next one when its time is up", async () => {
    let now = 0;
    const { engine } = passWith({
      polls: [[poll("a")], [poll("b")]],
      now: () => now,
      answer: () => {
        now = 10;
        return Response.json({ status: "IN_PROGRESS" });
      },
    });
    expect(await engine.pass(5)).toMatchObject({ polled: 1, ms: 10 });
  });

  it("begins no call after its time, however many it has taken and however slow RunPod is", async () => {
    let now = 0;
    const fifty = Array.from({ length: 50 }, (_, n) => poll(String(n)));
    const { engine, calls, told } = passWith({
      polls: [fifty],
      cancels: [fifty],
      now: () => now,
      answer: async () => {
        now += 1000;
        throw new Error("no answer");
      },
    });
    await engine.pass(20_000);
    expect(calls).toHaveLength(20);
    expect(told).toHaveLength(1);
  });

  it("goes on when one piece of work or one claim throws, and counts it", async () => {
    const { engine, reports } = passWith({
      polls: [[poll("a"), poll("b")]],
      claimTasks: () => Promise.reject(new Error("the database is away")),
      recordReport: ({ attempt }) => {
        if (attempt === "a") throw new Error("the gateway was cut");
      },
    });
    expect(await engine.pass(1)).toMatchObject({ polled: 2, failed: 2, error: expect.any(String) });
    expect(reports.map(({ attempt }) => attempt)).toEqual(["b"]);
  });

  it("deletes files that nobody has any more and says so, after all else and only if Storage did", async () => {
    const fine = passWith({ files: ["u1/j1/text/a1/text"] });
    expect(await fine.engine.pass(0)).toMatchObject({ filesDeleted: 2 });
    expect(fine.deleted).toEqual(["u1/j1/text/a1/text", 0]);
    const down = passWith({ files: ["x"], polls: [[poll("a")]], storageIsDown: true });
    expect(await down.engine.pass(1)).toMatchObject({
      polled: 1,
      filesDeleted: 0,
      failed: 1,
      error: "Error: storage is down",
    });
    expect(down.deleted).toEqual([]);
  });

  it("stops asking an endpoint that wants to be left alone, and says until when", async () => {
    const { engine, calls, reports } = passWith({
      polls: [Array.from({ length: 30 }, (_, n) => poll(`a${n}`))],
      answer: () => new Response("", { status: 429, headers: { "retry-after": "40" } }),
    });
    const { unanswered } = await engine.pass(1);
    expect(calls.length).toBeLessThanOrEqual(10);
    expect(unanswered).toHaveLength(30);
    expect(unanswered).toContainEqual({ attempt: "a29", call: "status", retryAfterMs: 40_000 });
    expect(reports).toEqual([]);
  });

  it("never takes a refused key or a hidden endpoint for a lost job", async () => {
    const { engine, reports } = passWith({
      polls: [[poll("a"), poll("b")]],
      cancels: [[poll("c")]],
      answer: (path) =>
        path.includes("a-u1")
          ? new Response("", { status: 401 })
          : Response.json({ detail: "endpoint not found" }, { status: 404 }),
    });
    expect(await engine.pass(1)).toMatchObject({
      refused: 3,
      unanswered: [
        { attempt: "c", call: "cancel" },
        { attempt: "a", call: "status" },
        { attempt: "b", call: "status" },
      ],
    });
    expect(reports).toEqual([]);
  });

  it("reads big answers one at a time, each when the one before is recorded", async () => {
    const steps: string[] = [];
    const { engine } = passWith({
      polls: [[poll("a"), poll("b"), poll("c")]],
      answer: (path) => streamed([60_000, 60_000], () => steps.push(`read ${path.slice(-4, -3)}`)),
      recordReport: ({ attempt }) => steps.push(`record ${attempt}`),
    });
    expect(await engine.pass(1)).toMatchObject({ polled: 3, failed: 0 });
    expect(steps).toEqual(["a", "b", "c"].flatMap((name) => [`read ${name}`, `record ${name}`]));
  });

  it("reads small answers side by side, and beside a big one that does not end", async () => {
    let bIsRead = () => {};
    const readB = new Promise<void>((resolve) => {
      bIsRead = resolve;
    });
    const { engine, reports } = passWith({
      polls: [[poll("a"), poll("b"), poll("c")]],
      answer: (path) =>
        path.includes("b-u1")
          ? streamed([], bIsRead)
          : streamed(path.includes("c-u1") ? [120_000] : [], () => readB),
    });
    await engine.pass(1);
    expect(reports.map(({ attempt }) => attempt).sort()).toEqual(["a", "b", "c"]);
  });

  it("waits for no turn of its own when one of two keys is refused", async () => {
    let calls = 0;
    const { engine, reports } = passWith({
      polls: [[poll("a"), poll("b")]],
      nextApiKey: "next",
      answer: () => streamed([120_000], () => {}, ++calls > 2 ? 200 : 401),
    });
    expect(await engine.pass(1)).toMatchObject({ polled: 2, refused: 0 });
    expect(reports).toHaveLength(2);
  });

  it("reports a job that RunPod forgot", async () => {
    const { engine, reports } = passWith({
      polls: [[poll("a")]],
      answer: () => new Response("{}", { status: 404 }),
    });
    await engine.pass(1);
    expect(reports).toMatchObject([{ attempt: "a", source: "poll", status: "NOT_FOUND" }]);
  });

  it("fails the task, not itself, over a result that is too large to keep", async () => {
    const { engine, reports } = passWith({
      polls: [[poll("a")]],
      answer: () => Response.json({ status: "COMPLETED", output: { big: true } }),
      recordReport: ({ output }) => {
        if (output !== undefined) throw new PodbaseError("payload_too_large", "the report is over 20 MB");
      },
    });
    expect(await engine.pass(1)).toMatchObject({ failed: 0 });
    expect(reports).toMatchObject([{ status: "COMPLETED", class: "invalid_output" }]);
  });
});
