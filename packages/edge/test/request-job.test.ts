import { PodbaseError } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { functions, json, post, USER } from "./support/functions.ts";

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

  it("takes many jobs in one call and dispatches what is ready afterwards", async () => {
    const { request, submitted, waiting, claims, again } = functions();
    const body = {
      jobs: [
        { kind: "note", input: { topic: "a" } },
        { kind: "note", input: { topic: "b" } },
      ],
    };
    const response = await request(json("request-job", body));
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      jobs: [
        { jobId: "j0", created: true },
        { jobId: "j1", created: true },
      ],
    });
    expect(submitted).toMatchObject([{ user: USER, input: { topic: "a" } }, { input: { topic: "b" } }]);
    await Promise.all(waiting);
    expect(claims()).toBe(1);
    again();
    expect((await request(json("request-job", body))).status).toBe(200);
    expect(waiting).toHaveLength(1);
  });

  const item = { kind: "note", input: { topic: "a" } };
  it.each([
    ["no jobs", { jobs: [] }, ["jobs"]],
    ["over 500 jobs", { jobs: Array(501).fill(item) }, ["jobs"]],
    ["jobs that are no list", { jobs: { 0: item } }, ["jobs"]],
    ["a field beside them", { jobs: [item], kind: "note" }, []],
    ["a job that is none", { jobs: [item, 7] }, ["jobs", 1]],
    ["a bad key", { jobs: [item, { ...item, idempotencyKey: "" }] }, ["jobs", 1, "idempotencyKey"]],
    ["bad input", { jobs: [item, { kind: "note", input: { topic: 1 } }] }, ["jobs", 1, "input", "topic"]],
    ["an unknown kind", { jobs: [item, { kind: "film", input: {} }] }, ["jobs", 1, "kind"]],
    ["NUL", { jobs: [item, { kind: "note", input: { topic: "\0" } }] }, ["jobs", 1, "input", "topic"]],
  ])("refuses many with %s and stores none", async (_what, body, path) => {
    const { request, submitted } = functions();
    const response = await request(json("request-job", body));
    expect(response.status).toBe(400);
    expect((await response.json()).error).toMatchObject({ code: "invalid_input", issues: [{ path }] });
    expect(submitted).toEqual([]);
  });

  it.each([
    ["rate_limited", "17"],
    ["quota_exceeded", "60"],
  ] as const)("answers 429 %s with a Retry-After that browsers may read", async (code, seconds) => {
    const { request, refuse } = functions();
    refuse(new PodbaseError(code, "too many", { retryAfterS: Number(seconds) }));
    const response = await request(json("request-job", { jobs: [item] }, { origin: "https://app.example" }));
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe(seconds);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-expose-headers")).toBe("retry-after");
    expect(await response.json()).toEqual({ error: { code, message: "too many" } });
  });

  it("says which method it takes", async () => {
    const response = await functions().request(new Request("http://h/request-job", { method: "PUT" }));
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
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
