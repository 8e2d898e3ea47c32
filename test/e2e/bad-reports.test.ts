/** What RunPod, its workers, or somebody in their name may send to runpod-webhook under Deno: never a 500, and nothing changes
 * but what a right token may change. */
import { type Claim, planOf } from "@podbase/core";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { reading } from "../../supabase/functions/_shared/jobs.ts";
import { type Ask, MB, nested, sender, streamed } from "./bad-input.ts";
import { demoOfFile, INPUT } from "./harness.ts";

const { demo, alice } = await demoOfFile();
const send = sender(demo, alice);

/** A reading's first task in this test's hands, as if RunPod had it; without artifacts, so that a text completes it. */
async function claimed() {
  const [task] = planOf(reading).tasks;
  const [row] = await demo.stack.sql`select podbase.submit_job(${demo.stack.sql.json({
    user: alice.user,
    kind: "reading",
    input: INPUT,
    plan: { tasks: [{ ...task, artifacts: {}, maxAttempts: 1 }] },
  } as never)}) as r`;
  const made = (row as { r: { job: { id: string }; claims: Claim[] } }).r;
  const claim = made.claims.find(({ job }) => job === made.job.id);
  if (!claim) throw new Error("the demo has room for a task");
  return {
    ...claim,
    at: `runpod-webhook/reading/text/${claim.attempt}`,
    full: `runpod-webhook/reading/text/${claim.attempt}?token=${claim.token}`,
  };
}
const completed = (output: string) => `{"id":"r-1","status":"COMPLETED","output":${output}}`;
const FINE = completed('{"text":"fine"}');
const jobOf = async (id: string) =>
  (await demo.stack.sql`select status, version, error from podbase.jobs where id = ${id}`)[0];

describe("runpod-webhook", () => {
  let mine: Awaited<ReturnType<typeof claimed>>;
  let other: Awaited<ReturnType<typeof claimed>>;
  beforeAll(async () => {
    [mine, other] = [await claimed(), await claimed()];
  });
  let before: unknown;
  beforeEach(async () => {
    before = await jobOf(mine.job);
  });

  const refused: [string, () => Ask, number, string][] = [
    ["an empty body", () => ({ path: mine.full, body: "" }), 400, "invalid_input"],
    ["malformed JSON", () => ({ path: mine.full, body: FINE.slice(0, -1) }), 400, "invalid_input"],
    ["an array", () => ({ path: mine.full, body: `[${FINE}]` }), 400, "invalid_input"],
    [
      "an id of a megabyte",
      () => ({ path: mine.full, body: FINE.replace("r-1", "r".repeat(MB)) }),
      400,
      "invalid_input",
    ],
    ["no status", () => ({ path: mine.full, body: '{"id":"r-1"}' }), 400, "invalid_input"],
    [
      "a number out of range",
      () => ({ path: mine.full, body: FINE.replace("{", '{"delayTime":1e400,') }),
      400,
      "invalid_input",
    ],
    [
      "another content type",
      () => ({ path: mine.full, body: FINE, headers: { "content-type": "text/plain" } }),
      415,
      "unsupported_media_type",
    ],
    [
      "25 MB",
      () => ({ path: mine.full, body: completed(`{"text":"${"x".repeat(25 * MB)}"}`) }),
      413,
      "payload_too_large",
    ],
    [
      "25 MB of unknown length",
      () => ({ path: mine.full, body: streamed(25 * MB) }),
      413,
      "payload_too_large",
    ],
    ["no token", () => ({ path: mine.at, body: FINE }), 401, "unauthorized"],
    ["an empty token", () => ({ path: `${mine.at}?token=`, body: FINE }), 401, "unauthorized"],
    ["a token with a NUL", () => ({ path: `${mine.full}%00`, body: FINE }), 401, "unauthorized"],
    [
      "a huge token",
      () => ({ path: `${mine.at}?token=${"a".repeat(6000)}`, body: FINE }),
      401,
      "unauthorized",
    ],
    [
      "the token of another attempt",
      () => ({ path: `${mine.at}?token=${other.token}`, body: FINE }),
      401,
      "unauthorized",
    ],
    [
      "the token under another task",
      () => ({ path: mine.full.replace("/text/", "/audio/"), body: FINE }),
      401,
      "unauthorized",
    ],
    [
      "a task named constructor",
      () => ({ path: mine.full.replace("/text/", "/constructor/"), body: FINE }),
      401,
      "unauthorized",
    ],
    [
      "a kind named __proto__",
      () => ({ path: mine.full.replace("/reading/", "/__proto__/"), body: FINE }),
      401,
      "unauthorized",
    ],
    [
      "a task with a NUL",
      () => ({ path: mine.full.replace("/text/", "/text%00/"), body: FINE }),
      401,
      "unauthorized",
    ],
    [
      "a task that is half an escape",
      () => ({ path: mine.full.replace("/text/", "/%E0%A4%A/"), body: FINE }),
      401,
      "unauthorized",
    ],
    [
      "an attempt that is none",
      () => ({ path: mine.full.replace(mine.attempt, "1"), body: FINE }),
      401,
      "unauthorized",
    ],
    [
      "an unknown attempt",
      () => ({ path: mine.full.replace(mine.attempt, crypto.randomUUID()), body: FINE }),
      401,
      "unauthorized",
    ],
    [
      "10,000 levels without a token",
      () => ({ path: mine.at, body: completed(nested(10_000)) }),
      401,
      "unauthorized",
    ],
    [
      "a user's token at a worker's call",
      () => ({ path: `${mine.at}/start`, body: "{}" }),
      401,
      "unauthorized",
    ],
    [
      "progress over 1",
      () => ({ path: `${mine.at}/progress`, body: '{"seq":1,"progress":1.5}' }),
      400,
      "invalid_input",
    ],
    [
      "progress with a huge number",
      () => ({ path: `${mine.at}/progress`, body: '{"seq":1e300,"progress":1}' }),
      400,
      "invalid_input",
    ],
    ["another path", () => ({ path: "runpod-webhook", body: FINE }), 404, "not_found"],
    ["a path too long", () => ({ path: `${mine.at}/start/again`, body: FINE }), 404, "not_found"],
    ["GET", () => ({ path: mine.full, method: "GET" }), 405, "method_not_allowed"],
  ];
  it.each(refused)("refuses %s and changes nothing", async (_what, ask, status, code) => {
    const response = await send(ask());
    expect([response.status, (await response.json()).error.code]).toEqual([status, code]);
    expect(await jobOf(mine.job)).toEqual(before);
  });

  it.each([
    ["10,000 levels", nested(10_000)],
    ["a NUL", '{"text":"a\\u0000"}'],
    ["a NUL in a key", '{"text":"a","\\u0000":1}'],
    ["half a surrogate pair", '{"text":"\\ud83d"}'],
    ["a number out of range", '{"text":"a","n":1e400}'],
    ["another shape", '{"text":7}'],
  ])("fails the attempt whose output holds %s, as no poll would find a better one", async (_what, output) => {
    const attempt = await claimed();
    const response = await send({ path: attempt.full, body: completed(output) });
    expect([response.status, await response.json()]).toEqual([200, { verdict: "applied" }]);
    expect(await jobOf(attempt.job)).toMatchObject({ status: "failed", error: { code: "invalid_output" } });
  });

  it("takes a result though RunPod knows nothing else of it", async () => {
    const attempt = await claimed();
    const body = FINE.replace(
      '"id":"r-1"',
      '"id":null,"error":null,"delayTime":null,"executionTime":null,"workerId":null',
    );
    const response = await send({ path: attempt.full, body });
    expect([response.status, await response.json()]).toEqual([200, { verdict: "applied" }]);
    expect(await jobOf(attempt.job)).toMatchObject({ status: "completed" });
  });

  it("keeps the beginning of an error that is huge", async () => {
    const attempt = await claimed();
    const error = JSON.stringify({ error_message: "x".repeat(15 * MB) });
    const response = await send({
      path: attempt.full,
      body: `{"id":"r-1","status":"FAILED","error":${error}}`,
    });
    expect(response.status).toBe(200);
    const [kept] = await demo.stack
      .sql`select length(report ->> 'error') as length from podbase_private.webhook_inbox
      where attempt_id = ${attempt.attempt}`;
    expect(kept?.length).toBe(10_000);
  });

  it("takes an error of any form, and states that nobody has heard of", async () => {
    const attempt = await claimed();
    const report = (body: string) => send({ path: attempt.full, body });
    const unknown = await report('{"id":"r-1","status":"DANC\\u0000ING"}');
    expect([unknown.status, await unknown.json()]).toEqual([200, { verdict: "unchanged" }]);
    const body = `{"id":"r\\u0000","status":"FAILED","error":${nested(10_000)},"delayTime":1.5,"executionTime":1e300}`;
    expect((await report(body)).status).toBe(200);
    expect(await jobOf(attempt.job)).toMatchObject({ status: "failed" });
  });

  it("answers 200 to whatever comes after the completion, and changes nothing", async () => {
    const attempt = await claimed();
    const report = async (body: string) => {
      const response = await send({ path: attempt.full, body });
      return [response.status, (await response.json()).verdict];
    };
    expect(await report(FINE)).toEqual([200, "applied"]);
    const done = await jobOf(attempt.job);
    expect(done?.status).toBe("completed");
    expect(await report(FINE)).toEqual([200, "duplicate"]);
    expect(await report(completed('{"text":"another"}'))).toEqual([200, "duplicate"]);
    expect(await report('{"id":"r-1","status":"FAILED","error":"late"}')).toEqual([200, "late"]);
    expect(await report('{"id":"r-1","status":"IN_PROGRESS"}')).toEqual([200, "late"]);
    const start = await send({
      path: `${attempt.at}/start`,
      body: "{}",
      headers: { authorization: `Bearer ${attempt.token}` },
    });
    expect([start.status, await start.json()]).toEqual([200, { proceed: false }]);
    expect(await jobOf(attempt.job)).toEqual(done);
    const [task] = await demo.stack.sql`select output from podbase.tasks where job_id = ${attempt.job}`;
    expect(task?.output).toEqual({ text: "fine" });
  });
});
