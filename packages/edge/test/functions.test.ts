import { defineJob, Engine, type Report, RunPod } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readEnvironment, reconcile, requestJob, runpodWebhook } from "../src/index.ts";

const ATTEMPT = "3f2c8a52-5c0f-4a58-9d8b-0d6f6f6f6f6f";
const USER = "11111111-1111-4111-8111-111111111111";
const note = defineJob({
  kind: "note",
  input: z.strictObject({ topic: z.string().min(1), when: z.iso.date().optional() }),
  tasks: {
    text: { route: "gpu", input: () => ({ a: 1 }), output: z.object({}), artifacts: { text: "text/plain" } },
  },
});

function functions() {
  const submitted: unknown[] = [];
  const reports: Report[] = [];
  const waiting: Promise<unknown>[] = [];
  let verdict: "applied" | "unauthorized" = "applied";
  let created = true;
  const engine = new Engine({
    jobs: { note },
    database: {
      submitJob: async (request) => {
        submitted.push(request);
        return { job: { id: "j1", status: "queued" }, created, claims: [] };
      },
      claimTasks: async () => [],
      recordSubmissions: async () => 0,
      recordReport: async (report) => {
        reports.push(report);
        return {
          verdict,
          proceed: verdict === "applied",
          claims: [],
          user: USER,
          job: "j1",
          artifacts: { text: "text/plain" },
        };
      },
      claimPolls: async () => [],
      claimCancels: async () => [],
      recordCancels: async () => 0,
    },
    storage: { signUpload: async (path) => `https://s/${path}` },
    runpod: new RunPod({ apiKey: "k", fetch: async () => Response.json({ id: "x", status: "IN_QUEUE" }) }),
    webhookUrl: "https://p/functions/v1/runpod-webhook",
  });
  const waitUntil = (work: Promise<unknown>) => void waiting.push(work);
  return {
    submitted,
    reports,
    waiting,
    again: () => {
      created = false;
    },
    deny: () => {
      verdict = "unauthorized";
    },
    request: requestJob({
      engine,
      waitUntil,
      userOf: async (r) => (r.headers.has("authorization") ? USER : null),
    }),
    webhook: runpodWebhook({ engine, waitUntil }),
    reconcile: reconcile({
      engine,
      waitUntil,
      isTrusted: async (r) => r.headers.get("apikey") === "sb_secret",
    }),
  };
}

const post = (path: string, body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Request(`http://127.0.0.1/${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", authorization: "Bearer user", ...headers },
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  } as RequestInit);
const json = (path: string, body: unknown, headers?: Record<string, string>) =>
  post(path, JSON.stringify(body), headers);

describe("request-job", () => {
  it("answers 202 with the job for a new one and 200 for one that the key already made", async () => {
    const { request, submitted, again } = functions();
    const body = { kind: "note", input: { topic: "tea" }, idempotencyKey: "k" };
    const first = await request(json("request-job", body));
    expect(first.status).toBe(202);
    expect(await first.json()).toEqual({ jobId: "j1", created: true, job: { id: "j1", status: "queued" } });
    expect(submitted).toMatchObject([
      { user: USER, kind: "note", input: { topic: "tea" }, idempotencyKey: "k" },
    ]);
    again();
    expect((await request(json("functions/v1/request-job", body))).status).toBe(200);
  });

  const refused: [string, Request, number, string, unknown?][] = [
    ["malformed JSON", post("request-job", "{"), 400, "invalid_input"],
    [
      "another content type",
      json("request-job", {}, { "content-type": "text/plain" }),
      415,
      "unsupported_media_type",
    ],
    [
      "a field of the wrong type",
      json("request-job", { kind: 1, input: {} }),
      400,
      "invalid_input",
      ["kind"],
    ],
    [
      "an unknown field",
      json("request-job", { kind: "note", input: { topic: "x" }, user: USER }),
      400,
      "invalid_input",
    ],
    [
      "bad input",
      json("request-job", { kind: "note", input: { topic: "x", when: "soon" } }),
      400,
      "invalid_input",
      ["input", "when"],
    ],
    ["no input", json("request-job", { kind: "note" }), 400, "invalid_input", ["input"]],
    ["an array", json("request-job", []), 400, "invalid_input"],
    [
      "a NUL character",
      json("request-job", { kind: "note", input: { topic: "a\0b" } }),
      400,
      "invalid_input",
    ],
    ["an unknown kind", json("request-job", { kind: "film", input: {} }), 404, "unknown_job_kind"],
    [
      "a body over 1 MiB",
      json("request-job", { kind: "note", input: { topic: "x".repeat(1024 * 1024) } }),
      413,
      "payload_too_large",
    ],
    [
      "a streamed body over 1 MiB",
      post("request-job", new Blob(["x".repeat(1024 * 1024 + 1)]).stream()),
      413,
      "payload_too_large",
    ],
    [
      "nobody signed in",
      new Request("http://h/request-job", { method: "POST", body: "{}" }),
      401,
      "unauthorized",
    ],
    ["a GET", new Request("http://h/request-job"), 405, "method_not_allowed"],
    ["another path", json("request-job/else", {}), 404, "not_found"],
  ];
  it.each(refused)("refuses %s and stores nothing", async (_what, request, status, code, path) => {
    const { request: handle, submitted } = functions();
    const response = await handle(request);
    expect(response.status).toBe(status);
    const { error } = await response.json();
    expect(error).toMatchObject({ code, message: expect.any(String) });
    if (path) expect(error.issues[0].path).toEqual(path);
    expect(submitted).toEqual([]);
  });

  it("lets browsers of any origin ask first", async () => {
    const { request } = functions();
    const response = await request(
      new Request("http://h/request-job", {
        method: "OPTIONS",
        headers: {
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,x-client-info",
        },
      }),
    );
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-headers")).toContain("x-client-info");
  });
});

describe("runpod-webhook", () => {
  const address = `runpod-webhook/note/text/${ATTEMPT}`;
  const body = {
    id: "x-u1",
    status: "COMPLETED",
    output: { a: 1 },
    delayTime: 5,
    executionTime: 7,
    input: { secret: 1 },
    webhook: "https://p/?token=t",
  };

  it("reports what RunPod says, without the echoed input and URL", async () => {
    const { webhook, reports } = functions();
    const response = await webhook(json(`${address}?token=t`, body));
    expect(response.status).toBe(200);
    expect(reports).toEqual([
      {
        attempt: ATTEMPT,
        source: "webhook",
        kind: "note",
        task: "text",
        token: "t",
        status: "COMPLETED",
        providerId: "x-u1",
        output: {},
        delayTime: 5,
        executionTime: 7,
      },
    ]);
  });

  it("answers 401 to a wrong, missing or malformed token or address, always the same", async () => {
    const { webhook, deny } = functions();
    deny();
    const answers = await Promise.all(
      [`${address}?token=wrong`, address, `runpod-webhook/note/text/nope?token=t`].map(async (path) => {
        const response = await webhook(json(path, body));
        return [response.status, await response.text()];
      }),
    );
    expect(new Set(answers.map(String)).size).toBe(1);
    expect(answers[0]![0]).toBe(401);
  });

  it("takes 20 MB and refuses more", async () => {
    const { webhook } = functions();
    const sized = (bytes: number) => JSON.stringify({ ...body, output: { a: "x".repeat(bytes) } });
    expect((await webhook(post(`${address}?token=t`, sized(19_900_000)))).status).toBe(200);
    expect((await webhook(post(`${address}?token=t`, sized(21_000_000)))).status).toBe(413);
  });

  it("tells a worker that starts to proceed, with fresh upload slots", async () => {
    const { webhook } = functions();
    const response = await webhook(json(`${address}/start`, {}, { authorization: "Bearer t" }));
    expect(await response.json()).toEqual({
      proceed: true,
      uploads: {
        text: {
          url: `https://s/${USER}/j1/text/${ATTEMPT}/text`,
          path: `${USER}/j1/text/${ATTEMPT}/text`,
          contentType: "text/plain",
        },
      },
    });
  });

  it("learns RunPod's id of the job from a worker that starts, if it sends one", async () => {
    const { webhook, reports } = functions();
    const headers = { authorization: "Bearer t" };
    await webhook(json(`${address}/start`, { id: "rp-1-u1" }, headers));
    expect(
      (await webhook(new Request(`https://p/functions/v1/${address}/start`, { method: "POST", headers })))
        .status,
    ).toBe(200);
    expect(reports.map((report) => report.providerId)).toEqual(["rp-1-u1", undefined]);
  });

  it("takes numbered progress and refuses anything else", async () => {
    const { webhook, reports } = functions();
    const send = (progress: unknown) =>
      webhook(json(`${address}/progress`, progress, { authorization: "Bearer t" }));
    expect((await send({ seq: 3, progress: 0.5 })).status).toBe(200);
    expect(reports).toMatchObject([{ status: "IN_PROGRESS", seq: 3, progress: 0.5 }]);
    expect((await send({ seq: 3, progress: 2 })).status).toBe(400);
    expect((await send({ progress: 0.1 })).status).toBe(400);
  });
});

describe("reconcile", () => {
  it("accepts at once and works afterwards", async () => {
    const { reconcile: handle, waiting } = functions();
    const response = await handle(json("reconcile", {}, { apikey: "sb_secret" }));
    expect(response.status).toBe(202);
    expect(await Promise.all(waiting)).toEqual([{ submitted: 0, polled: 0, canceled: 0 }]);
  });

  it("refuses everybody without a secret key", async () => {
    const { reconcile: handle, waiting } = functions();
    expect((await handle(json("reconcile", {}, { apikey: "sb_publishable" }))).status).toBe(401);
    expect(waiting).toEqual([]);
  });
});

describe("readEnvironment", () => {
  const variables = {
    SUPABASE_URL: "https://x.supabase.co",
    SUPABASE_SECRET_KEYS: '{"default":"sb_secret_d","podbase":"sb_secret_p"}',
    RUNPOD_API_KEY: "rpa_secret",
  };

  it("prefers the secret key named podbase and fills in the addresses", () => {
    expect(readEnvironment(variables)).toEqual({
      supabaseUrl: "https://x.supabase.co",
      secretKey: "sb_secret_p",
      runpodApiKey: "rpa_secret",
      runpodBaseUrl: "https://api.runpod.ai/v2",
      webhookUrl: "https://x.supabase.co/functions/v1/runpod-webhook",
    });
  });

  it("names what is missing and never shows a value", () => {
    const read = () =>
      readEnvironment({ ...variables, SUPABASE_SECRET_KEYS: "sb_secret_oops", RUNPOD_API_KEY: "" });
    expect(read).toThrow(/SUPABASE_SECRET_KEYS.*RUNPOD_API_KEY/);
    expect(read).not.toThrow(/oops/);
  });
});
