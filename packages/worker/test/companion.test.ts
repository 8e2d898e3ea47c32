import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Handler, type RunSettings, runHandler, shortMessage } from "../src/companion.ts";
import { FakePodbase } from "./support/fake-podbase.ts";

let podbase: FakePodbase;
let lines: string[];
let settings: RunSettings;

beforeEach(async () => {
  podbase = await FakePodbase.start();
  lines = [];
  settings = { retryDelays: [1, 1, 1], log: (line) => lines.push(line) };
});
afterEach(() => podbase.stop());

const START = "POST /callback/start";
const PROGRESS = "POST /callback/progress";
const UPLOADS = "POST /callback/uploads";
const FIRST_SLOT = "PUT /storage/text?token=first";
const FRESH_SLOT = "PUT /storage/text?token=fresh";

const bytes = new TextEncoder().encode("grüße");
const storing: Handler = async (input, { upload }) => {
  await upload("text", bytes);
  return { echo: input.question };
};
const run = (handler: Handler, job: unknown = podbase.job({ question: "why" }, "text", "text/markdown")) =>
  runHandler(job, handler, settings);
const receipt = {
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
};
const done = { echo: "why", podbase: { artifacts: { text: receipt } } };

describe("the start", () => {
  it("comes before all else, with the attempt's token", async () => {
    expect(await run(storing)).toEqual(done);
    expect(podbase.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([START, FIRST_SLOT]);
    expect(podbase.seen[0]?.headers.authorization).toBe("Bearer secret-token");
  });

  it("stops the work before it begins if Podbase says so", async () => {
    podbase.replies.set(START, [{ status: 200, json: { proceed: false } }]);
    let worked = false;
    const result = await run(async () => {
      worked = true;
      return {};
    });
    expect(result).toEqual({ podbase: { stopped: true } });
    expect(worked).toBe(false);
  });

  it("brings fresher upload slots than the job had", async () => {
    const uploads = { text: podbase.slot("text", "text/markdown", "fresh") };
    podbase.replies.set(START, [{ status: 200, json: { proceed: true, uploads } }]);
    expect(await run(storing)).toEqual(done);
    expect(podbase.to(FIRST_SLOT)).toHaveLength(0);
    expect(podbase.to(FRESH_SLOT)).toHaveLength(1);
  });

  it("is tried again while Podbase is in trouble", async () => {
    podbase.replies.set(START, [{ status: 503 }, "reset", { status: 200, json: { proceed: false } }]);
    expect(await run(storing)).toEqual({ podbase: { stopped: true } });
    expect(podbase.to(START)).toHaveLength(3);
  });

  it("does not keep the work from being done if Podbase stays away", async () => {
    podbase.replies.set(START, [{ status: 503 }]);
    expect(await run(storing)).toEqual(done);
    expect(podbase.to(START)).toHaveLength(4);
    expect(lines.join()).toContain("HTTP 503");
  });

  it("ends the job with an error if the attempt is refused", async () => {
    podbase.replies.set(START, [{ status: 401 }]);
    expect(await run(storing)).toEqual({ error: "Podbase refused this attempt (HTTP 401)" });
    expect(podbase.to(START)).toHaveLength(1);
  });

  it("ends the job with an error if the answer makes no sense", async () => {
    podbase.replies.set(START, [{ status: 200, json: { go: "on" } }]);
    expect(await run(storing)).toEqual({ error: "Podbase's answer was not understood" });
  });

  it("keeps a query that stands in the callback", async () => {
    const job = podbase.job({}, "text", "text/markdown") as { input: { podbase: { callback: string } } };
    job.input.podbase.callback += "/?via=tunnel";
    await run(storing, job);
    expect(podbase.seen[0]?.path).toBe("/callback/start?via=tunnel");
  });
});

describe("uploads", () => {
  it("put the bytes into the slot with its content type", async () => {
    await run(storing);
    const [put] = podbase.to(FIRST_SLOT);
    expect(put?.headers).toMatchObject({ "content-type": "text/markdown", "x-upsert": "true" });
    expect(put?.headers.authorization).toBeUndefined();
    expect(put?.body).toEqual(Buffer.from(bytes));
  });

  it.each([400, 401, 403])("ask for a fresh slot when the old one is answered with %i", async (status) => {
    podbase.replies.set(FIRST_SLOT, [{ status }]);
    const uploads = { text: podbase.slot("text", "text/markdown", "fresh") };
    podbase.replies.set(UPLOADS, [{ status: 200, json: { uploads } }]);
    expect(await run(storing)).toEqual(done);
    expect(podbase.to(UPLOADS)[0]?.headers.authorization).toBe("Bearer secret-token");
    expect(podbase.to(FRESH_SLOT)[0]?.body).toEqual(Buffer.from(bytes));
  });

  it("give up when the fresh slot is refused as well", async () => {
    podbase.replies.set(FIRST_SLOT, [{ status: 400 }]);
    podbase.replies.set(FRESH_SLOT, [{ status: 400 }]);
    const uploads = { text: podbase.slot("text", "text/markdown", "fresh") };
    podbase.replies.set(UPLOADS, [{ status: 200, json: { uploads } }]);
    expect(await run(storing)).toEqual({ error: "upload of text failed: HTTP 400" });
    expect(podbase.to(FRESH_SLOT)).toHaveLength(1);
  });

  it("are tried again on 5xx and on cut connections", async () => {
    podbase.replies.set(FIRST_SLOT, [{ status: 502 }, "reset", { status: 200 }]);
    expect(await run(storing)).toEqual(done);
    expect(podbase.to(FIRST_SLOT)).toHaveLength(3);
  });

  it("fail the job when Storage stays away", async () => {
    podbase.replies.set(FIRST_SLOT, [{ status: 500 }]);
    expect(await run(storing)).toEqual({ error: "upload of text failed: storage did not answer: HTTP 500" });
  });

  it("fail the job when no slot was given", async () => {
    const result = await run(async (_, { upload }) => {
      await upload("image", bytes);
      return {};
    });
    expect(result).toEqual({
      error: "upload of image failed: there is no upload slot for the artifact image",
    });
  });
});

describe("progress", () => {
  const reports = () =>
    podbase.to(PROGRESS).map((seen) => seen.body as { seq: number; progress: number; message?: string });

  it("is numbered, held back between calls, and ends with the newest report", async () => {
    await run(async (_, { progress }) => {
      for (let step = 0; step <= 100; step++) await progress(step / 100, `step ${step}`);
      return {};
    });
    expect(reports().map((report) => report.seq)).toEqual(reports().map((_, index) => index + 1));
    expect(reports()[0]).toEqual({ seq: 1, progress: 0, message: "step 0" });
    expect(reports().at(-1)).toMatchObject({ progress: 1, message: "step 100" });
    const times = podbase.to(PROGRESS).map((seen) => seen.at);
    const gaps = times.slice(1, -1).map((at, index) => at - (times[index] as number));
    expect(gaps.every((gap) => gap >= 295)).toBe(true);
  });

  it("is clamped to 0 to 1", async () => {
    await run(async (_, { progress }) => {
      await progress(-3);
      await progress(7);
      return {};
    });
    expect(reports()).toEqual([
      { seq: 1, progress: 0 },
      { seq: 2, progress: 1 },
    ]);
  });

  it("that cannot be told does not fail the job", async () => {
    podbase.replies.set(PROGRESS, ["reset", { status: 500 }]);
    const result = await run(async (_, { progress }) => {
      await progress(0.1);
      await progress(0.2);
      return { fine: true };
    });
    expect(result).toEqual({ fine: true, podbase: { artifacts: {} } });
    expect(lines).toHaveLength(2);
  });

  it("stops the work when Podbase no longer wants it", async () => {
    podbase.replies.set(PROGRESS, [{ status: 200, json: { proceed: false } }]);
    let went = "";
    const result = await run(async (_, { progress }) => {
      went += "before";
      await progress(0.5);
      went += "after";
      return {};
    });
    expect(result).toEqual({ podbase: { stopped: true } });
    expect(went).toBe("before");
  });

  it("that says stop only after the work is done does not throw the work away", async () => {
    podbase.replies.set(PROGRESS, [
      { status: 200, json: { proceed: true } },
      { status: 200, json: { proceed: false } },
    ]);
    const result = await run(async (_, { progress }) => {
      await progress(0.5);
      await progress(1);
      return { fine: true };
    });
    expect(podbase.to(PROGRESS)).toHaveLength(2);
    expect(result).toEqual({ fine: true, podbase: { artifacts: {} } });
  });
});

describe("errors", () => {
  it("are one short line for the result, and whole in the log", async () => {
    const result = await run(async () => {
      throw new Error(`first line\n    at somewhere (file:///secret.ts)`);
    });
    expect(result).toEqual({ error: "first line" });
    expect(lines.join()).toContain("secret.ts");
  });

  it("are cut if they are long", () => {
    expect(shortMessage(new Error("x".repeat(1_000)))).toHaveLength(300);
  });

  it("name the field of a job that Podbase did not send", async () => {
    expect(await run(storing, { id: "1", input: { prompt: "hi" } })).toEqual({
      error: expect.stringMatching(/^invalid input: input\.podbase: /),
    });
    expect(await run(storing, null)).toEqual({ error: expect.stringMatching(/^invalid input: job: /) });
    expect(podbase.seen).toEqual([]);
  });

  it("never hold the attempt's token", async () => {
    podbase.replies.set(START, ["reset"]);
    podbase.replies.set(FIRST_SLOT, ["reset"]);
    const result = await run(storing);
    expect(JSON.stringify([result, lines])).not.toContain("secret-token");
    expect(JSON.stringify([result, lines])).not.toContain("token=first");
  });
});

describe("the time of a job", () => {
  const nowOf: Handler = async (_, { now }) => ({ now: now.toISOString() });

  it("is when it was made, or else the clock's", async () => {
    const job = podbase.job({}, "text", "text/markdown");
    expect(await run(nowOf, job)).toMatchObject({ now: "2026-11-22T09:30:00.000Z" });
    settings = { ...settings, clock: () => new Date("2030-01-02T03:04:05Z") };
    expect(await run(nowOf, { ...job, createdAt: undefined })).toMatchObject({
      now: "2030-01-02T03:04:05.000Z",
    });
  });
});
