/** What must never reach the database by request-job under Deno: each gets a 4xx with a code and, where there is
 * one, the path of the offence, and nothing is stored. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Ask, MB, nested, sender, streamed } from "./bad-input.ts";
import { demoOfFile, INPUT, signUp } from "./harness.ts";

const { demo, alice } = await demoOfFile();
const send = sender(demo, alice);

/** A request for a reading whose fields are JSON texts of the test's own. */
const raw = (fields: Record<string, string>) => {
  const all = {
    ...Object.fromEntries(Object.entries(INPUT).map(([k, v]) => [k, JSON.stringify(v)])),
    ...fields,
  };
  const input = Object.entries(all).map(([key, value]) => `${JSON.stringify(key)}:${value}`);
  return `{"kind":"reading","input":{${input}}}`;
};
const many = (...items: unknown[]) =>
  JSON.stringify({ jobs: items.map((input) => ({ kind: "reading", input })) });
const stored = async () => {
  const [row] = await demo.stack.sql`
    select (select count(*) from podbase.jobs)::int as jobs, (select count(*) from podbase.tasks)::int as tasks,
      (select count(*) from podbase_private.attempts)::int as attempts,
      (select count(*) from podbase_private.webhook_inbox)::int as reports`;
  return row;
};

describe("request-job", () => {
  const refused: [string, () => Ask, number, string, unknown?][] = [
    ["an empty body", () => ({ body: "" }), 400, "invalid_input", []],
    ["no body", () => ({ headers: { "content-type": "application/json" } }), 400, "invalid_input", []],
    ["malformed JSON", () => ({ body: '{"kind":"reading",' }), 400, "invalid_input", []],
    ["an array", () => ({ body: "[]" }), 400, "invalid_input", []],
    ["null", () => ({ body: "null" }), 400, "invalid_input", []],
    ["a text", () => ({ body: '"reading"' }), 400, "invalid_input", []],
    [
      "an unknown field",
      () => ({ body: '{"kind":"reading","input":{},"user":"x"}' }),
      400,
      "invalid_input",
      [],
    ],
    ["a kind that is none", () => ({ body: '{"kind":{},"input":{}}' }), 400, "invalid_input", ["kind"]],
    [
      "an unknown kind",
      () => ({ body: '{"kind":"__proto__","input":{}}' }),
      404,
      "unknown_job_kind",
      ["kind"],
    ],
    [
      "no content type",
      () => ({ body: new Blob(["{}"]).stream(), headers: { "content-type": "" } }),
      415,
      "unsupported_media_type",
    ],
    [
      "a form",
      () => ({ body: "{}", headers: { "content-type": "application/x-www-form-urlencoded" } }),
      415,
      "unsupported_media_type",
    ],
    [
      "a JSON dialect",
      () => ({ body: "{}", headers: { "content-type": "application/json-seq" } }),
      415,
      "unsupported_media_type",
    ],
    [
      "another charset",
      () => ({ body: raw({}), headers: { "content-type": "application/json; charset=latin1" } }),
      415,
      "unsupported_media_type",
    ],
    [
      "a compressed body",
      () => ({ body: gzipSync(raw({})), headers: { "content-encoding": "gzip" } }),
      415,
      "unsupported_media_type",
    ],
    [
      "bytes that are no UTF-8",
      () => ({ body: Buffer.from(raw({ name: '"\xff"' }), "latin1") }),
      400,
      "invalid_input",
      [],
    ],
    ["UTF-16", () => ({ body: Buffer.from(raw({}), "utf16le") }), 400, "invalid_input", []],
    ["25 MB", () => ({ body: " ".repeat(25 * MB) }), 413, "payload_too_large"],
    ["25 MB of unknown length", () => ({ body: streamed(25 * MB) }), 413, "payload_too_large"],
    ["10,000 levels", () => ({ body: raw({ name: nested(10_000) }) }), 400, "invalid_input"],
    ["400,000 levels", () => ({ body: nested(400_000) }), 400, "invalid_input"],
    [
      "10,000 levels of objects",
      () => ({ body: `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}` }),
      400,
      "invalid_input",
    ],
    ["a raw NUL", () => ({ body: raw({ name: '"a\0b"' }) }), 400, "invalid_input", []],
    [
      "an escaped NUL",
      () => ({ body: raw({ name: '"a\\u0000b"' }) }),
      400,
      "invalid_input",
      ["input", "name"],
    ],
    ["a NUL in a key", () => ({ body: raw({ "a\0": "1" }) }), 400, "invalid_input", ["input", "a\ufffd"]],
    [
      "half a surrogate pair",
      () => ({ body: raw({ question: '"\\ud83d"' }) }),
      400,
      "invalid_input",
      ["input", "question"],
    ],
    [
      "half a pair in a key",
      () => ({ body: raw({ "\udc00": "1" }) }),
      400,
      "invalid_input",
      ["input", "\ufffd"],
    ],
    [
      "a number out of range",
      () => ({ body: raw({ question: "1e400" }) }),
      400,
      "invalid_input",
      ["input", "question"],
    ],
    [
      "a huge idempotency key",
      () => ({
        body: JSON.stringify({ kind: "reading", input: INPUT, idempotencyKey: "k".repeat(500_000) }),
      }),
      400,
      "invalid_input",
      ["idempotencyKey"],
    ],
    [
      "an empty idempotency key",
      () => ({ body: JSON.stringify({ kind: "reading", input: INPUT, idempotencyKey: "" }) }),
      400,
      "invalid_input",
      ["idempotencyKey"],
    ],
    [
      "a NUL in the key",
      () => ({ body: JSON.stringify({ kind: "reading", input: INPUT, idempotencyKey: "\0" }) }),
      400,
      "invalid_input",
      ["idempotencyKey"],
    ],
    [
      "many, one of them bad",
      () => ({ body: many(INPUT, INPUT, INPUT, { ...INPUT, birthDate: "soon" }) }),
      400,
      "invalid_input",
      ["jobs", 3, "input", "birthDate"],
    ],
    [
      "many, one with a NUL",
      () => ({ body: many(INPUT, { ...INPUT, name: "\0" }) }),
      400,
      "invalid_input",
      ["jobs", 1, "input", "name"],
    ],
    ["none of many", () => ({ body: '{"jobs":[]}' }), 400, "invalid_input", ["jobs"]],
    ["501 of many", () => ({ body: many(...Array(501).fill(INPUT)) }), 400, "invalid_input", ["jobs"]],
    ["another path", () => ({ path: "request-job/else", body: "{}" }), 404, "not_found"],
    ["a path with a NUL", () => ({ path: "request-job/%00", body: "{}" }), 404, "not_found"],
    ["nobody", () => ({ body: raw({}), headers: { authorization: "" } }), 401, "unauthorized"],
    [
      "an attempt's token",
      () => ({ body: raw({}), headers: { authorization: `Bearer ${"a".repeat(64)}` } }),
      401,
      "unauthorized",
    ],
    ...["GET", "PUT", "PATCH", "DELETE"].map((method): [string, () => Ask, number, string] => [
      method,
      () => ({ method }),
      405,
      "method_not_allowed",
    ]),
  ];
  it.each(refused)("refuses %s and stores nothing", async (_what, ask, status, code, path) => {
    const before = await stored();
    const response = await send(ask());
    const { error } = await response.json();
    expect([response.status, error.code, error.message]).toEqual([status, code, expect.any(String)]);
    if (path) expect(error.issues[0]).toEqual({ path, message: expect.any(String) });
    expect(await stored()).toEqual(before);
  });

  it("takes JSON whose charset is told, and tells browsers of any origin that it takes POST alone", async () => {
    for (const charset of ["utf-8", '"UTF-8"', "utf8"]) {
      const headers = { "content-type": `application/json; charset=${charset}` };
      expect((await send({ body: raw({}), headers })).status).toBe(202);
    }
    const asked = { origin: "https://app.example", "access-control-request-method": "POST" };
    const preflight = await send({ method: "OPTIONS", headers: asked });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-methods")).toBe("POST");
  });

  it("takes the last of two keys that are alike, as JSON.parse does", async () => {
    const body = raw({})
      .replace('"kind":"reading"', '"kind":"film","kind":"reading"')
      .replace('"name":', '"name":"First","name":');
    const response = await send({ body });
    expect(response.status).toBe(202);
    expect((await response.json()).job.input.name).toBe(INPUT.name);
  });

  it("makes many in one call, each key once", async () => {
    const jobs = ["a", "b", "a"].map((idempotencyKey) => ({ kind: "reading", input: INPUT, idempotencyKey }));
    const response = await send({ body: JSON.stringify({ jobs }) });
    expect(response.status).toBe(202);
    const made = (await response.json()).jobs;
    expect(made.map((job: { created: boolean }) => job.created)).toEqual([true, true, false]);
    expect(made[2].jobId).toBe(made[0].jobId);
    const before = await stored();
    const conflict = await send({
      body: JSON.stringify({ jobs: [jobs[0], { ...jobs[1], input: { ...INPUT, name: "Max" } }] }),
    });
    expect([conflict.status, (await conflict.json()).error]).toEqual([
      409,
      expect.objectContaining({
        code: "idempotency_conflict",
        issues: [expect.objectContaining({ path: ["jobs", 1, "idempotencyKey"] })],
      }),
    ]);
    const among = await send({
      body: JSON.stringify({
        jobs: [jobs[0], { ...jobs[0], input: { ...INPUT, name: "Max" } }, jobs[0], jobs[1]],
      }),
    });
    expect((await among.json()).error.issues).toMatchObject([{ path: ["jobs", 1, "idempotencyKey"] }]);
    expect((await stored())?.jobs).toBe(before?.jobs);
  });

  it("answers 429 with Retry-After to who asks too fast or has too much open, and never to a repeat", async () => {
    const bob = await signUp(demo);
    const limit = (limits: object) =>
      demo.stack
        .sql`select podbase.configure(${demo.stack.sql.json({ users: { [bob.user]: limits } } as never)})`;
    const ask = async (body: string) => {
      const response = await send({ body, headers: { authorization: `Bearer ${bob.token}` } });
      return {
        status: response.status,
        retry: response.headers.get("retry-after"),
        ...(await response.json()),
      };
    };
    const one = JSON.stringify({ kind: "reading", input: INPUT, idempotencyKey: "one" });
    await limit({ maxJobsPerMinute: 1 });
    expect((await ask(one)).status).toBe(202);
    const fast = await ask(raw({}));
    expect(fast).toMatchObject({ status: 429, error: { code: "rate_limited" } });
    expect(Number(fast.retry)).toBeGreaterThan(0);
    expect(Number(fast.retry)).toBeLessThanOrEqual(60);
    expect((await ask(one)).status).toBe(200);
    await limit({ maxOpenJobs: 2 });
    expect(await ask(many(INPUT, INPUT, INPUT))).toMatchObject({
      status: 429,
      retry: null,
      error: { code: "quota_exceeded" },
    });
  });

  it("refuses the token of a user who was deleted, and a function that isn't there", async () => {
    const mallory = await signUp(demo);
    await demo.stack.sql`delete from auth.users where id = ${mallory.user}`;
    const before = (await stored())?.jobs;
    for (const body of [raw({}), many(INPUT)]) {
      const response = await send({ body, headers: { authorization: `Bearer ${mallory.token}` } });
      expect([response.status, (await response.json()).error.code]).toEqual([401, "unauthorized"]);
    }
    expect((await send({ path: "requestjob", body: "{}" })).status).toBe(404);
    expect((await stored())?.jobs).toBe(before);
  });
});
