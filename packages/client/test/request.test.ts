import { describe, expect, it } from "vitest";
import { createPodbase } from "../src/index.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, type Interceptor, json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";

const accepted = () => json({ jobId: jobId(1), created: true, job: jobRow(1) }, 202);
const refusal = (status: number, code: string, more = {}) =>
  json({ error: { code, message: "No", ...more } }, status);

/** Requests a job from a server that gives these answers in turn, and lets as much time pass as asked. */
const request = async (answers: ReturnType<Interceptor>[], ms = 600_000, options = {}) => {
  const supabase = createFakeSupabase();
  const runtime = createFakeRuntime();
  const podbase = createPodbase(supabase.client, { runtime });
  let asked = 0;
  supabase.intercept(() => answers[Math.min(asked++, answers.length - 1)]);
  const result = podbase.jobs.request("reading", { name: "Ada" }, options);
  await runtime.advance(ms);
  return {
    ...(await result),
    bodies: supabase.asked.map(({ body }) => body),
    asked: supabase.asked,
    runtime,
  };
};

describe("requesting a job", () => {
  it("posts kind, input and key to the Edge Function as the signed-in user and returns the job", async () => {
    const { data, error, asked } = await request([accepted()], 0, { idempotencyKey: "mine" });
    expect(error).toBeNull();
    expect(data).toMatchObject({ id: jobId(1), kind: "reading", status: "queued" });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      method: "POST",
      path: "/functions/v1/request-job",
      body: { kind: "reading", input: { name: "Ada" }, idempotencyKey: "mine" },
    });
    expect(asked[0]?.headers.get("authorization")).toBe("Bearer token of ada");
  });

  it("repeats with the same generated key after network errors and 5xx, as that can't make a second job", async () => {
    const { data, bodies } = await request([new TypeError("fetch failed"), json({}, 503), accepted()]);
    expect(data?.id).toBe(jobId(1));
    expect(bodies).toHaveLength(3);
    expect(new Set(bodies.map((body) => JSON.stringify(body)))).toEqual(
      new Set([JSON.stringify({ kind: "reading", input: { name: "Ada" }, idempotencyKey: "generated-1" })]),
    );
  });

  it("repeats when an answer breaks off, since the job may exist", async () => {
    const broken = new Response('{"jobId":', {
      status: 202,
      headers: { "content-type": "application/json" },
    });
    const { data } = await request([broken, accepted()]);
    expect(data?.id).toBe(jobId(1));
  });

  it("repeats when there is no answer at all for half a minute", async () => {
    const { data, asked } = await request([new Promise<Response>(() => {}), accepted()], 32_000);
    expect(data?.id).toBe(jobId(1));
    expect(asked).toHaveLength(2);
  });

  it("waits as long as Retry-After says, in seconds or as a date", async () => {
    const busy = () => json({}, 429, { "retry-after": "20" });
    expect((await request([busy(), accepted()], 20_000)).data?.id).toBe(jobId(1));
    const until = new Date(1_000_000 + 20_000).toUTCString();
    const dated = await request([json({}, 503, { "retry-after": until }), accepted()], 20_000);
    expect(dated.data?.id).toBe(jobId(1));
  });

  it("leaves a long Retry-After to the caller", async () => {
    const { error, asked } = await request([json({}, 429, { "retry-after": "3600" })], 0);
    expect(error).toMatchObject({ code: "rate_limited", status: 429, retryable: true });
    expect(asked).toHaveLength(1);
  });

  it("leaves it to the caller when too many jobs are open", async () => {
    const full = json({ error: { code: "quota_exceeded", message: "No" } }, 429, { "retry-after": "60" });
    const { error, asked } = await request([full], 0);
    expect(error).toMatchObject({ code: "quota_exceeded", status: 429, retryable: true });
    expect(asked).toHaveLength(1);
  });

  it("gives up after four tries and says that it may be worth another", async () => {
    const { data, error, asked, runtime } = await request([new TypeError("fetch failed")]);
    expect(data).toBeNull();
    expect(error).toMatchObject({ code: "network", status: null, retryable: true });
    expect(asked).toHaveLength(4);
    expect(runtime.pending()).toBe(0);
  });

  it("does not repeat what was refused, and tells what is wrong with the input", async () => {
    const issues = [{ path: ["input", "birthDate"], message: "Invalid date" }];
    const { error, asked } = await request([refusal(400, "invalid_input", { issues })], 0);
    expect(error).toMatchObject({ code: "invalid_input", status: 400, retryable: false, issues });
    expect(asked).toHaveLength(1);
  });

  it.each([
    [401, "unauthorized", "unauthorized"],
    [404, "unknown_job_kind", "unknown_job_kind"],
    [409, "idempotency_conflict", "idempotency_conflict"],
    [413, "payload_too_large", "payload_too_large"],
    [418, "of_the_future", "unexpected"],
  ])("turns %i %s into %s", async (status, code, expected) => {
    const { error } = await request([refusal(status, code)], 0);
    expect(error).toMatchObject({ code: expected, status, message: "No" });
  });

  it("is not repeated as somebody else who signs in meanwhile", async () => {
    const supabase = createFakeSupabase();
    const runtime = createFakeRuntime();
    const podbase = createPodbase(supabase.client, { runtime });
    supabase.intercept(() => new TypeError("fetch failed"));
    const result = podbase.jobs.request("reading", {});
    await runtime.settle();
    supabase.signIn("grace");
    await runtime.advance(60_000);
    expect((await result).error?.code).toBe("signed_out");
    expect(supabase.asked).toHaveLength(1);
  });

  it("understands the answers of gateways that are not ours", async () => {
    expect((await request([json({ code: 401, message: "Invalid JWT" }, 401)], 0)).error?.code).toBe(
      "unauthorized",
    );
    expect((await request([json({ code: "NOT_FOUND" }, 404)], 0)).error?.code).toBe("not_installed");
    expect((await request([new Response("<html>", { status: 502 })])).error?.code).toBe("server_error");
    expect((await request([json({ ok: true }, 200)], 0)).error?.code).toBe("unexpected");
  });
});

describe("requesting many jobs", () => {
  const many = async (answers: ReturnType<Interceptor>[]) => {
    const supabase = createFakeSupabase();
    const runtime = createFakeRuntime();
    const podbase = createPodbase(supabase.client, { runtime });
    let asked = 0;
    supabase.intercept(() => answers[Math.min(asked++, answers.length - 1)]);
    const result = podbase.jobs.requestMany([
      { kind: "reading", input: { name: "Ada" } },
      { kind: "reading", input: { name: "Alan" }, idempotencyKey: "mine" },
    ]);
    await runtime.advance(600_000);
    return { ...(await result), bodies: supabase.asked.map(({ body }) => body) };
  };

  it("posts them in one call, each with a key, and again the same when that fails on the way", async () => {
    const jobs = [
      { jobId: jobId(1), created: true },
      { jobId: jobId(2), created: false },
    ];
    const { data, error, bodies } = await many([json({}, 503), json({ jobs }, 202)]);
    expect(error).toBeNull();
    expect(data).toEqual([
      { id: jobId(1), created: true },
      { id: jobId(2), created: false },
    ]);
    expect(bodies).toEqual(
      Array(2).fill({
        jobs: [
          { kind: "reading", input: { name: "Ada" }, idempotencyKey: "generated-1" },
          { kind: "reading", input: { name: "Alan" }, idempotencyKey: "mine" },
        ],
      }),
    );
  });

  it("tells which of them are bad, and finds an answer without jobs unexpected", async () => {
    const issues = [{ path: ["jobs", 1, "input", "name"], message: "Too short" }];
    expect((await many([refusal(400, "invalid_input", { issues })])).error).toMatchObject({
      code: "invalid_input",
      issues,
    });
    expect((await many([json({ ok: true }, 202)])).error?.code).toBe("unexpected");
  });
});
