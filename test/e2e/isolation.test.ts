import type { SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DemoStack } from "../../packages/cli/src/demo-stack.ts";
import { finished, joinTopic, newClient, requestReading, signUp, startOwnDemo } from "./harness.ts";

let demo: DemoStack;
let owner: Awaited<ReturnType<typeof signUp>>;
let stranger: Awaited<ReturnType<typeof signUp>>;
let anonymous: SupabaseClient;
let job: Awaited<ReturnType<typeof finished>>;
let heard: { own: Record<string, unknown>[]; rows: unknown[]; foreignRows: unknown[] };

const TABLES = ["jobs", "tasks", "artifacts"];

beforeAll(async () => {
  demo = await startOwnDemo();
  [owner, stranger] = await Promise.all([signUp(demo), signUp(demo)]);
  anonymous = newClient(demo);
  const own = await joinTopic(owner.supabase, `podbase:${owner.user}`);
  heard = { own: own.messages, rows: [], foreignRows: [] };
  const listen = (supabase: SupabaseClient, into: unknown[]) =>
    new Promise<void>((resolve) => {
      supabase
        .channel("rows")
        .on("postgres_changes", { event: "*", schema: "podbase" }, (change) => into.push(change))
        .on("system", {}, ({ extension, status }) => {
          if (extension === "postgres_changes" && status === "ok") resolve();
        })
        .subscribe();
    });
  await Promise.all([listen(owner.supabase, heard.rows), listen(stranger.supabase, heard.foreignRows)]);
  job = await finished(owner.supabase, await requestReading(owner.supabase));
}, 60_000);
afterAll(() => demo.stop());

describe("the owner", () => {
  it("gets the text, the audio and the PDF", async () => {
    expect(job.status).toBe("completed");
    expect(job.artifacts.map((artifact: { name: string }) => artifact.name).sort()).toEqual([
      "audio",
      "pdf",
      "text",
    ]);
    for (const artifact of job.artifacts) {
      const { data, error } = await owner.supabase.storage.from("podbase").download(artifact.path);
      expect(error).toBeNull();
      expect(data?.size).toBe(artifact.bytes);
    }
  });

  it("hears every version over the private topic and of the rows over postgres_changes", () => {
    const versions = heard.own.map((message) => message.version);
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect(heard.own.at(-1)).toMatchObject({ job: job.id, status: "completed", version: job.version });
    expect(heard.rows.length).toBeGreaterThan(3);
  });

  it("cannot write a row", async () => {
    for (const table of TABLES) {
      const rows = owner.supabase.schema("podbase").from(table);
      const results = await Promise.all([
        rows.update({ created_at: new Date().toISOString() }).neq("id", crypto.randomUUID()),
        rows.delete().neq("id", crypto.randomUUID()),
        rows.insert({ user_id: owner.user }),
      ]);
      for (const { error, status } of results) {
        expect(error?.code).toBe("42501");
        expect(status).toBe(403);
      }
    }
  });

  it("cannot call the engine's functions or reach its private schema", async () => {
    const podbase = owner.supabase.schema("podbase");
    for (const [name, args] of [
      ["submit_job", { request: {} }],
      ["claim_tasks", { max_tasks: 1 }],
      ["record_report", { report: {} }],
      ["record_submissions", { results: [] }],
      ["configure", { config: {} }],
    ] as const) {
      expect((await podbase.rpc(name, args)).error?.code, name).toBe("42501");
    }
    const { error } = await owner.supabase.schema("podbase_private").from("attempts").select();
    expect(error?.code).toBe("PGRST106");
  });
});

describe.each([
  ["another user", () => stranger.supabase],
  ["an anonymous caller", () => anonymous],
])("%s", (who, client) => {
  it("sees no row through REST", async () => {
    for (const table of TABLES) {
      const { data, error } = await client().schema("podbase").from(table).select();
      if (who === "another user") expect(data).toEqual([]);
      else expect(error?.code).toBe("42501");
    }
  });

  it("sees nothing through my_jobs and cannot cancel", async () => {
    const mine = await client().schema("podbase").rpc("my_jobs");
    if (who === "another user") expect(mine.data).toEqual([]);
    else expect(mine.error?.code).toBe("42501");
    const cancel = await client().schema("podbase").rpc("cancel_job", { job_id: job.id });
    expect(cancel.error?.code).toBe(who === "another user" ? "PB005" : "42501");
  });

  it("cannot join the owner's topic or send to it", async () => {
    const before = heard.own.length;
    const { status, channel } = await joinTopic(client(), `podbase:${owner.user}`);
    expect(status).toBe("CHANNEL_ERROR");
    await client().removeChannel(channel);
    const sneak = client().channel(`podbase:${owner.user}`);
    await new Promise((resolve) => sneak.subscribe(resolve));
    await sneak.send({ type: "broadcast", event: "job", payload: { job: job.id, version: 999 } });
    expect(heard.own.length).toBe(before);
    await client().removeChannel(sneak);
  });

  it("finds no file: not by download, list, signed URL or upload slot", async () => {
    const bucket = client().storage.from("podbase");
    const { path } = job.artifacts[0];
    expect((await bucket.download(path)).error).not.toBeNull();
    expect((await bucket.createSignedUrl(path, 60)).error).not.toBeNull();
    expect((await bucket.list(owner.user)).data ?? []).toEqual([]);
    expect((await bucket.createSignedUploadUrl(`${owner.user}/x`)).error).not.toBeNull();
    expect((await bucket.remove([path])).data ?? []).toEqual([]);
    const open = await fetch(`${demo.stack.url}/storage/v1/object/public/podbase/${path}`);
    expect(open.status).toBeGreaterThanOrEqual(400);
  });
});

it("the other user heard of no row", () => {
  expect(heard.foreignRows).toEqual([]);
});
