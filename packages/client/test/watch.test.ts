import { describe, expect, it, vi } from "vitest";
import { jobId } from "./support/rows.ts";
import { completed, setUp, setUpLive } from "./support/set-up.ts";

describe("watching a job", () => {
  it("opens nothing and asks nothing before the first watch", async () => {
    const { supabase, runtime } = setUp();
    await runtime.advance(60_000);
    expect(supabase.asked).toEqual([]);
    expect(supabase.channels.made).toEqual([]);
    expect(runtime.pending()).toBe(0);
  });

  it("joins one private channel for all watches and reads all jobs in one request", async () => {
    const { supabase, runtime, watch } = setUp();
    watch(1);
    watch(2);
    watch(2);
    await runtime.advance(0);
    expect(supabase.channels.made.map(({ topic }) => topic)).toEqual(["podbase:ada"]);
    expect(supabase.channels.made[0]?.options.config).toMatchObject({ private: true });
    expect(supabase.reads().map(({ body }) => body)).toEqual([{ ids: [jobId(1), jobId(2)] }]);
  });

  it("reads again when the channel was joined, as something may have happened in between", async () => {
    const { supabase, runtime, watch } = setUp();
    const { phases } = watch();
    await runtime.advance(0);
    supabase.database.change(jobId(1), { phase: "submitting" });
    supabase.channels.open()?.join();
    await runtime.advance(0);
    expect(phases).toEqual(["queued", "submitting"]);
  });

  it("reads again when the server says that the channel is connected to the database", async () => {
    const { supabase, runtime, channel, watched } = await setUpLive();
    supabase.database.change(jobId(1), { phase: "submitting" });
    channel()?.system({ status: "ok", extension: "system", message: "Replication connection established" });
    await runtime.advance(0);
    expect(watched.phases).toEqual(["queued", "submitting"]);
  });

  it("shows a change the moment its message arrives", async () => {
    const { supabase, watched } = await setUpLive();
    supabase.changeAndTell(1, { phase: "running", status: "processing" });
    expect(watched.phases).toEqual(["queued", "running"]);
  });

  it("costs no reading while only progress moves", async () => {
    const { supabase, runtime, watched } = await setUpLive({ poll: false });
    const before = supabase.reads().length;
    for (const progress of [0.1, 0.2, 0.3]) {
      supabase.changeAndTell(1, { progress });
      await runtime.advance(1_000);
    }
    expect(watched.versions).toEqual([1, 2, 3, 4]);
    expect(supabase.reads()).toHaveLength(before);
  });

  it("reads once for a burst of messages", async () => {
    const { supabase, runtime, watched } = await setUpLive();
    const before = supabase.reads().length;
    for (const phase of ["submitting", "waiting_for_worker", "running"] as const) {
      supabase.changeAndTell(1, { phase });
      await runtime.advance(5);
    }
    await runtime.advance(100);
    expect(supabase.reads()).toHaveLength(before + 1);
    expect(watched.phases).toEqual(["queued", "submitting", "waiting_for_worker", "running"]);
  });

  it("ends after the terminal snapshot, which has outputs and artifacts", async () => {
    const { supabase, runtime, watched, podbase } = await setUpLive();
    const result = podbase.jobs.awaitResult(jobId(1));
    const text = { name: "text", status: "completed", phase: "done", output: { text: "Once" } } as const;
    supabase.changeAndTell(1, { ...completed, tasks: [text] });
    expect(watched.onEnd).not.toHaveBeenCalled();
    await runtime.advance(100);
    expect(watched.onEnd).toHaveBeenCalledExactlyOnceWith(null);
    expect((await result).tasks.text).toMatchObject({ status: "completed", output: { text: "Once" } });
  });

  it("leaves the channel and stops all timers a moment after the last watch", async () => {
    const { supabase, runtime, watched, channel } = await setUpLive();
    watched.unsubscribe();
    await runtime.advance(500);
    expect(channel()).toBeDefined();
    await runtime.advance(500);
    expect(channel()).toBeUndefined();
    const before = supabase.reads().length;
    await runtime.advance(60_000);
    expect(supabase.reads()).toHaveLength(before);
    expect(runtime.pending()).toBe(0);
  });

  it("keeps the channel when a watch begins right after the last one ended", async () => {
    const { supabase, runtime, watched, watch } = await setUpLive();
    watched.unsubscribe();
    const again = watch();
    await runtime.advance(5_000);
    expect(supabase.channels.made).toHaveLength(1);
    expect(again.phases).toEqual(["queued"]);
  });

  it("shows a second watch on a job what the first one knows", async () => {
    const { runtime, watch } = await setUpLive();
    const second = watch();
    expect(second.versions).toEqual([]);
    await runtime.settle();
    expect(second.versions).toEqual([1]);
  });

  it("goes on when a listener throws", async () => {
    const { supabase, podbase, runtime, watched } = await setUpLive();
    const thrown: unknown[] = [];
    vi.stubGlobal("queueMicrotask", (task: () => void) => {
      Promise.resolve()
        .then(task)
        .catch((error: unknown) => thrown.push(error));
    });
    const faulty = podbase.jobs.watch(jobId(1), () => {
      throw new Error("the app's mistake");
    });
    await runtime.settle();
    faulty.unsubscribe();
    vi.unstubAllGlobals();
    expect(thrown).toEqual([new Error("the app's mistake")]);
    supabase.changeAndTell(1, { progress: 0.5 });
    expect(watched.versions).toEqual([1, 2]);
  });

  it("tells when there is no such job", async () => {
    const { runtime, watch } = setUp();
    const missing = watch(99);
    await runtime.advance(0);
    expect(missing.onEnd).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "job_not_found" }));
  });

  it("does not let an id that is none spoil the reading of the others", async () => {
    const { supabase, podbase, runtime, watch } = setUp();
    const { versions } = watch(1);
    await expect(podbase.jobs.awaitResult("nonsense")).rejects.toMatchObject({ code: "job_not_found" });
    await runtime.advance(0);
    expect(versions).toEqual([1]);
    expect(supabase.reads()[0]?.body).toEqual({ ids: [jobId(1)] });
  });

  it("takes a message it does not understand as a hint to read", async () => {
    const { supabase, runtime, watched, channel } = await setUpLive();
    supabase.database.change(jobId(1), { phase: "running" });
    channel()?.broadcast({ format: "of a later version" });
    await runtime.advance(0);
    expect(watched.phases).toEqual(["queued", "running"]);
  });

  it("takes in what one-shot calls bring", async () => {
    const { supabase, podbase, watched } = await setUpLive();
    supabase.database.change(jobId(1), { phase: "running" });
    await podbase.jobs.get(jobId(1));
    expect(watched.phases).toEqual(["queued", "running"]);
  });
});
