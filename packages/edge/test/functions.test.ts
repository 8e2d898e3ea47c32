import { describe, expect, it, vi } from "vitest";
import { readEnvironment, serve } from "../src/index.ts";
import { ATTEMPT, CLAIM, functions, json, post, USER } from "./support/functions.ts";

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

  it("takes a streamed body of 20 MB and stops reading a longer one", async () => {
    const { webhook, reports } = functions();
    const chunk = "x".repeat(1024 * 1024);
    let pulled = 0;
    const stream = (chunks: number) =>
      new ReadableStream({
        pull(controller) {
          pulled += 1;
          const at = pulled === 1 ? '{"status":"COMPLETED","output":"' : "";
          const end = pulled === chunks ? '"}' : "";
          controller.enqueue(new TextEncoder().encode(at + (end ? "" : chunk) + end));
          if (end) controller.close();
        },
      });
    expect((await webhook(post(`${address}?token=t`, stream(20)))).status).toBe(200);
    expect(reports).toHaveLength(1);
    pulled = 0;
    expect((await webhook(post(`${address}?token=t`, stream(1000)))).status).toBe(413);
    expect(pulled).toBeLessThan(30);
  });

  it("answers before the work that follows is done", async () => {
    let accept = () => {};
    const runpodAnswer = new Promise<void>((resolve) => {
      accept = resolve;
    });
    const { webhook, waiting, submissions } = functions({ claims: [CLAIM], runpodAnswer });
    expect((await webhook(json(`${address}?token=t`, body))).status).toBe(200);
    expect(submissions).toEqual([]);
    accept();
    await Promise.all(waiting);
    expect(submissions).toMatchObject([{ outcome: "accepted" }]);
  });

  it("has a task with confirm looked up at RunPod before anything is recorded", async () => {
    const { webhook, waiting, reports, hints } = functions();
    const forged = { ...body, output: { forged: true } };
    const response = await webhook(json(`runpod-webhook/note/dear/${ATTEMPT}?token=t`, forged));
    expect(response.status).toBe(200);
    expect(hints).toMatchObject([{ status: "COMPLETED", token: "t" }]);
    await Promise.all(waiting);
    expect(reports).toMatchObject([{ source: "poll", task: "dear", status: "IN_QUEUE" }]);
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
    expect(await Promise.all(waiting)).toMatchObject([{ submitted: 0, polled: 0, canceled: 0 }]);
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
      secretKeys: { default: "sb_secret_d", podbase: "sb_secret_p" },
      legacyJwtSecret: undefined,
      runpodApiKey: "rpa_secret",
      runpodBaseUrl: "https://api.runpod.ai/v2",
      webhookUrl: "https://x.supabase.co/functions/v1/runpod-webhook",
    });
  });

  it("takes the legacy service_role key beside the new ones, or alone", () => {
    const legacy = { ...variables, SUPABASE_SERVICE_ROLE_KEY: "eyJ.legacy" };
    expect(readEnvironment(legacy)).toMatchObject({
      secretKey: "sb_secret_p",
      secretKeys: { default: "sb_secret_d", podbase: "sb_secret_p", "legacy service_role": "eyJ.legacy" },
    });
    for (const none of ["{}", undefined]) {
      expect(readEnvironment({ ...legacy, SUPABASE_SECRET_KEYS: none }).secretKey).toBe("eyJ.legacy");
      expect(() => readEnvironment({ ...variables, SUPABASE_SECRET_KEYS: none })).toThrow(
        /SUPABASE_SECRET_KEYS/,
      );
    }
  });

  it("takes a second key of RunPod's, while the first one is changed", () => {
    expect(readEnvironment({ ...variables, RUNPOD_API_KEY_NEXT: "rpa_next" })).toMatchObject({
      runpodApiKey: "rpa_secret",
      runpodNextApiKey: "rpa_next",
    });
    expect(readEnvironment({ ...variables, RUNPOD_API_KEY_NEXT: "" })).not.toHaveProperty("runpodNextApiKey");
  });

  it("names what is missing and never shows a value", () => {
    const read = () =>
      readEnvironment({ ...variables, SUPABASE_SECRET_KEYS: "sb_secret_oops", RUNPOD_API_KEY: "" });
    expect(read).toThrow(/SUPABASE_SECRET_KEYS.*RUNPOD_API_KEY/);
    expect(read).not.toThrow(/oops/);
  });
});

it("a function whose secrets are missing answers 500 in our shape and tells the names to its log only", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const call = serve("request-job", {}, {});
  const response = await call(json("request-job", { kind: "x".repeat(2000) }));
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({ error: { code: "internal", message: expect.any(String) } });
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(String(log.mock.calls[0])).toContain("RUNPOD_API_KEY");
  // A browser asks before, and shows the app nothing of an answer that it was not let have.
  const preflight = new Request("http://127.0.0.1/request-job", {
    method: "OPTIONS",
    headers: { origin: "https://app.example", "access-control-request-method": "POST" },
  });
  expect((await call(preflight)).status).toBe(204);
  log.mockRestore();
});
