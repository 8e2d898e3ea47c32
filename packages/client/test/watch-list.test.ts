import { describe, expect, it } from "vitest";
import { createPodbase } from "../src/index.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";

/** A live watch on the newest two jobs of a database with jobs 1 and 2. */
const setUp = async () => {
  const supabase = createFakeSupabase();
  const runtime = createFakeRuntime();
  const podbase = createPodbase(supabase.client, { runtime });
  supabase.database.insert(jobRow(1));
  supabase.database.insert(jobRow(2));
  const shown: string[] = [];
  const { unsubscribe } = podbase.jobs.watchList(
    ({ jobs, error }) => {
      const told = jobs.map((job) => `${Number(job.id.slice(-12))}:${job.phase}`).join(" ");
      shown.push(error ? `${told} ${error.code}`.trim() : told);
    },
    { limit: 2 },
  );
  await runtime.settle();
  supabase.channels.open()?.join();
  await runtime.advance(0);
  return { supabase, runtime, podbase, shown, unsubscribe };
};

describe("watching the newest jobs", () => {
  it("shows them newest first, after one reading", async () => {
    const { shown, supabase } = await setUp();
    expect(shown).toEqual(["2:queued 1:queued"]);
    expect(supabase.reads()[0]?.body).toEqual({ max_jobs: 2 });
  });

  it("shows changes the moment their messages arrive", async () => {
    const { shown, supabase } = await setUp();
    supabase.changeAndTell(1, { phase: "running" });
    expect(shown.at(-1)).toBe("2:queued 1:running");
  });

  it("finds jobs that were requested elsewhere", async () => {
    const { shown, supabase, runtime } = await setUp();
    supabase.database.insert(jobRow(3));
    supabase.changeAndTell(3, { phase: "submitting" });
    await runtime.advance(100);
    expect(shown.at(-1)).toBe("3:submitting 2:queued");
  });

  it("shows a job that was requested here without waiting for Realtime", async () => {
    const { shown, supabase, runtime, podbase } = await setUp();
    supabase.intercept(({ path }) => {
      if (!path.endsWith("request-job")) return undefined;
      supabase.database.insert(jobRow(3));
      return json({ jobId: jobId(3), created: true, job: jobRow(3) }, 202);
    });
    await podbase.jobs.request("reading", {});
    await runtime.advance(100);
    expect(shown.at(-1)).toBe("3:queued 2:queued");
  });

  it("reads once, not for ever, for an older job that keeps changing", async () => {
    const { supabase, runtime } = await setUp();
    supabase.database.insert(jobRow(0));
    const before = supabase.reads().length;
    for (const progress of [0.1, 0.2, 0.3]) {
      supabase.changeAndTell(0, { progress });
      await runtime.advance(1_000);
    }
    expect(supabase.reads()).toHaveLength(before + 1);
  });

  it("notices that a job was deleted", async () => {
    const { shown, supabase, runtime } = await setUp();
    supabase.changeAndTell(2, { phase: "running" });
    supabase.database.rows.delete(jobId(2));
    await runtime.advance(1_000);
    expect(shown.at(-1)).toBe("1:queued");
  });

  it("asks nothing while all jobs are done and Realtime is joined", async () => {
    const { supabase, runtime } = await setUp();
    for (const n of [1, 2]) supabase.changeAndTell(n, { status: "completed", phase: "done" });
    await runtime.advance(100);
    const before = supabase.reads().length;
    await runtime.advance(600_000);
    expect(supabase.reads()).toHaveLength(before);
    expect(runtime.pending()).toBe(0);
  });

  it("shows a failed reading beside what is known, until one succeeds", async () => {
    const { shown, supabase, runtime, podbase } = await setUp();
    supabase.intercept(() => json({ code: "PGRST106", message: "Invalid schema: podbase" }, 406));
    podbase.resync();
    await runtime.advance(0);
    expect(shown.at(-1)).toBe("2:queued 1:queued not_installed");
    supabase.intercept(null);
    await runtime.advance(30_000);
    expect(shown.at(-1)).toBe("2:queued 1:queued");
  });

  it("goes empty on sign-out and fills again for the next user", async () => {
    const { shown, supabase, runtime } = await setUp();
    supabase.signOut();
    expect(shown.at(-1)).toBe("signed_out");
    await runtime.advance(10_000);
    supabase.signIn("grace");
    await runtime.advance(100);
    expect(shown.at(-1)).toBe("2:queued 1:queued");
    expect(supabase.channels.open()?.topic).toBe("podbase:grace");
  });

  it("reads a job once that is both listed and watched", async () => {
    const { supabase, runtime, podbase } = await setUp();
    podbase.jobs.watch(jobId(1), () => {});
    await runtime.advance(100);
    const before = supabase.reads().length;
    podbase.resync();
    await runtime.advance(0);
    expect(supabase.reads()).toHaveLength(before + 1);
  });

  it("leaves the channel a moment after the list is not looked at any more", async () => {
    const { supabase, runtime, unsubscribe } = await setUp();
    unsubscribe();
    await runtime.advance(1_000);
    expect(supabase.channels.open()).toBeUndefined();
    expect(runtime.pending()).toBe(0);
  });

  it("ends with an error when the client is closed", async () => {
    const { shown, podbase, runtime } = await setUp();
    podbase.close();
    expect(shown.at(-1)).toBe("closed");
    podbase.jobs.watchList(({ error }) => shown.push(`late ${error?.code}`));
    await runtime.settle();
    expect(shown.at(-1)).toBe("late closed");
  });
});
