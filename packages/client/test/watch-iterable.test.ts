import { describe, expect, it } from "vitest";
import { jobId } from "./support/rows.ts";
import { completed, setUpLive } from "./support/set-up.ts";

describe("a watch as an async iterable", () => {
  it("yields rising versions and ends after the terminal one", async () => {
    const { supabase, podbase, runtime } = await setUpLive();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const job of podbase.jobs.watch(jobId(1))) seen.push(`${job.version} ${job.status}`);
    })();
    await runtime.settle();
    supabase.changeAndTell(1, { status: "processing", phase: "running" });
    await runtime.advance(100);
    supabase.changeAndTell(1, completed);
    await runtime.advance(100);
    await reading;
    expect(seen).toEqual(["1 queued", "2 processing", "3 completed"]);
  });

  it("gives a slow consumer the newest snapshot", async () => {
    const { supabase, podbase, runtime } = await setUpLive();
    const iterator = podbase.jobs.watch(jobId(1))[Symbol.asyncIterator]();
    await runtime.settle();
    for (const progress of [0.1, 0.2, 0.3]) supabase.changeAndTell(1, { progress });
    expect((await iterator.next()).value?.progress).toBe(0.3);
  });

  it("ends silently on return and on the signal, and stops watching", async () => {
    const { podbase, runtime, watched } = await setUpLive();
    const controller = new AbortController();
    const iterator = podbase.jobs.watch(jobId(1), { signal: controller.signal })[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    controller.abort();
    expect(await waiting).toEqual({ value: undefined, done: true });
    for await (const job of podbase.jobs.watch(jobId(1))) {
      expect(job.version).toBe(1);
      break;
    }
    watched.unsubscribe();
    await runtime.advance(1_000);
    expect(runtime.pending()).toBe(0);
  });

  it("throws when the watch ends for another reason than the job's end", async () => {
    const { supabase, podbase, runtime } = await setUpLive();
    const iterator = podbase.jobs.watch(jobId(1))[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = expect(iterator.next()).rejects.toMatchObject({ code: "signed_out" });
    supabase.signOut();
    await waiting;
    await runtime.settle();
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  it("answers all of several calls of next", async () => {
    const { supabase, podbase, runtime } = await setUpLive();
    const iterator = podbase.jobs.watch(jobId(1))[Symbol.asyncIterator]();
    const all = Promise.all([iterator.next(), iterator.next()]);
    await runtime.settle();
    supabase.changeAndTell(1, { progress: 0.5 });
    expect((await all).map(({ value }) => value?.version)).toEqual([1, 2]);
  });
});

describe("waiting for a result", () => {
  it("has no time limit", async () => {
    const { supabase, podbase, runtime } = await setUpLive();
    let settled = false;
    const result = podbase.jobs.awaitResult(jobId(1)).finally(() => {
      settled = true;
    });
    await runtime.advance(600_000);
    expect(settled).toBe(false);
    supabase.changeAndTell(1, { status: "failed", phase: "done", error: { code: "lost", message: "Gone" } });
    await runtime.advance(100);
    expect(await result).toMatchObject({ status: "failed", error: { code: "lost" } });
  });

  it("can be aborted, before and meanwhile", async () => {
    const { podbase, runtime } = await setUpLive();
    const controller = new AbortController();
    const waiting = expect(
      podbase.jobs.awaitResult(jobId(1), { signal: controller.signal }),
    ).rejects.toMatchObject({ code: "aborted" });
    await runtime.settle();
    controller.abort();
    await waiting;
    await expect(podbase.jobs.awaitResult(jobId(1), { signal: controller.signal })).rejects.toMatchObject({
      code: "aborted",
    });
  });
});
