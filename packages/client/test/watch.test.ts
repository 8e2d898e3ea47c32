import { describe, expect, it, vi } from "vitest";
import { createPodbase, type PodbaseError, type PodbaseOptions } from "../src/index.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";

/** A client over fakes, with jobs 1 and 2 in the database. */
const setUp = (options: PodbaseOptions = {}, userId: string | null = "ada") => {
  const supabase = createFakeSupabase(userId);
  const runtime = createFakeRuntime();
  const problems: PodbaseError[] = [];
  const podbase = createPodbase(supabase.client, {
    runtime,
    onProblem: (error) => problems.push(error),
    ...options,
  });
  supabase.database.insert(jobRow(1));
  supabase.database.insert(jobRow(2));
  /** Watches job n; keeps what came. */
  const watch = (n = 1) => {
    const versions: number[] = [];
    const phases: string[] = [];
    const onEnd = vi.fn<(error: PodbaseError | null) => void>();
    const { unsubscribe } = podbase.jobs.watch(
      jobId(n),
      (job) => {
        versions.push(job.version);
        phases.push(job.phase);
      },
      { onEnd },
    );
    return { versions, phases, onEnd, unsubscribe };
  };
  return { supabase, runtime, podbase, problems, watch };
};

/** The same, with a watch on job 1 that is live. */
const setUpLive = async (options: PodbaseOptions = {}) => {
  const all = setUp(options);
  const watched = all.watch();
  await all.runtime.settle();
  all.supabase.channels.open()?.join();
  await all.runtime.advance(0);
  return { ...all, watched, channel: () => all.supabase.channels.open() };
};

const completed = { status: "completed", phase: "done" } as const;

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
    expect(supabase.reads().map(({ query }) => query.get("id"))).toEqual([`in.(${jobId(1)},${jobId(2)})`]);
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
    expect(supabase.reads()[0]?.query.get("id")).toBe(`in.(${jobId(1)})`);
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

describe("trouble while watching", () => {
  it("polls faster while not joined and says so quietly", async () => {
    const { supabase, runtime, podbase, watched, channel } = await setUpLive();
    const connections: string[] = [];
    podbase.onConnection((connection) => connections.push(connection));
    expect(podbase.connection).toBe("live");
    channel()?.fail();
    supabase.database.change(jobId(1), { phase: "running" });
    await runtime.advance(3_000);
    expect(watched.phases).toEqual(["queued", "running"]);
    channel()?.join();
    expect(connections).toEqual(["polling", "live"]);
  });

  it("finds what Realtime lost with the slow poll", async () => {
    const { supabase, runtime, watched } = await setUpLive();
    supabase.database.change(jobId(1), { phase: "running" });
    await runtime.advance(14_999);
    expect(watched.phases).toEqual(["queued"]);
    await runtime.advance(1);
    expect(watched.phases).toEqual(["queued", "running"]);
  });

  it("never polls when told not to", async () => {
    const { supabase, runtime, podbase, channel } = await setUpLive({ poll: false });
    const before = supabase.reads().length;
    await runtime.advance(120_000);
    channel()?.fail();
    await runtime.advance(120_000);
    expect(supabase.reads()).toHaveLength(before);
    expect(podbase.connection).toBe("connecting");
  });

  it("makes the channel anew, with growing pauses, when the server closes it", async () => {
    const { supabase, runtime, channel } = await setUpLive();
    for (const pause of [1_000, 2_000, 4_000]) {
      channel()?.closeByServer();
      await runtime.advance(pause - 1);
      expect(channel()).toBeUndefined();
      await runtime.advance(1);
      expect(channel()?.topic).toBe("podbase:ada");
      channel()?.join();
      await runtime.settle();
    }
    expect(supabase.channels.made).toHaveLength(4);
    await runtime.advance(30_000);
    channel()?.closeByServer();
    await runtime.advance(1_000);
    expect(channel()).toBeDefined();
  });

  it("does not make the channel anew after errors from which supabase-js recovers", async () => {
    const { supabase, runtime, channel } = await setUpLive();
    channel()?.fail("CHANNEL_ERROR");
    channel()?.fail("TIMED_OUT");
    await runtime.advance(60_000);
    expect(supabase.channels.made).toHaveLength(1);
  });

  it("keeps trying when readings fail, with pauses of at most 30 seconds, and never blames the job", async () => {
    const { supabase, runtime, watched, problems } = await setUpLive();
    supabase.intercept(() => new TypeError("fetch failed"));
    supabase.changeAndTell(1, completed);
    await runtime.advance(300_000);
    expect(watched.onEnd).not.toHaveBeenCalled();
    expect(problems.length).toBeGreaterThan(10);
    expect(problems.at(-1)).toMatchObject({ code: "network", retryable: true });
    supabase.intercept(null);
    await runtime.advance(30_000);
    expect(watched.onEnd).toHaveBeenCalledExactlyOnceWith(null);
  });

  it("gives up on a reading that gets no answer and repeats it", async () => {
    const { supabase, runtime, watched } = await setUpLive();
    supabase.intercept(() => new Promise(() => {}));
    supabase.changeAndTell(1, completed);
    await runtime.advance(1_000);
    supabase.intercept(null);
    await runtime.advance(21_000);
    expect(watched.onEnd).toHaveBeenCalledExactlyOnceWith(null);
  });

  it("reads at once when told to resync, even during a back-off", async () => {
    const { supabase, runtime, podbase, watched } = await setUpLive();
    supabase.intercept(() => json({ message: "down" }, 503));
    supabase.changeAndTell(1, { phase: "running" });
    await runtime.advance(20_000);
    supabase.intercept(null);
    supabase.database.change(jobId(1), { phase: "retrying" });
    podbase.resync();
    await runtime.advance(0);
    expect(watched.phases.at(-1)).toBe("retrying");
  });

  it("reads when the page is shown again, comes online or is restored, and slows down while hidden", async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
    const windowEvents = new EventTarget();
    vi.stubGlobal("document", page);
    vi.stubGlobal("window", windowEvents);
    const { supabase, runtime, watched, channel } = await setUpLive();
    const readsDuring = async (act: () => void, ms = 0) => {
      const before = supabase.reads().length;
      act();
      await runtime.advance(ms);
      return supabase.reads().length - before;
    };
    expect(await readsDuring(() => page.dispatchEvent(new Event("visibilitychange")))).toBe(1);
    expect(await readsDuring(() => windowEvents.dispatchEvent(new Event("online")))).toBe(1);
    expect(await readsDuring(() => windowEvents.dispatchEvent(new Event("pageshow")))).toBe(1);
    page.visibilityState = "hidden";
    expect(await readsDuring(() => page.dispatchEvent(new Event("visibilitychange")))).toBe(0);
    expect(await readsDuring(() => channel()?.fail(), 15_000)).toBe(1);
    watched.unsubscribe();
    await runtime.advance(1_000);
    page.visibilityState = "visible";
    expect(await readsDuring(() => windowEvents.dispatchEvent(new Event("online")), 5_000)).toBe(0);
    vi.unstubAllGlobals();
  });

  it("survives a platform without WebSocket by polling", async () => {
    const { supabase, runtime, watch, podbase, problems } = setUp();
    Object.assign(supabase.client, {
      channel() {
        throw new Error("WebSocket not available");
      },
    });
    const { phases } = watch();
    await runtime.advance(0);
    supabase.database.change(jobId(1), { phase: "running" });
    await runtime.advance(3_000);
    expect(phases).toEqual(["queued", "running"]);
    expect(podbase.connection).toBe("polling");
    expect(problems[0]?.message).toBe("WebSocket not available");
  });

  it("polls while another Podbase holds the topic, and takes it over later", async () => {
    const { supabase, runtime, watched } = await setUpLive();
    const other = createPodbase(supabase.client, { runtime });
    other.jobs.watch(jobId(2), () => {});
    await runtime.advance(3_000);
    expect(other.connection).toBe("polling");
    watched.unsubscribe();
    await runtime.advance(60_000);
    supabase.channels.open()?.join();
    expect(other.connection).toBe("live");
  });
});

describe("the session", () => {
  it("refuses to watch while nobody is signed in", async () => {
    const { podbase, supabase, runtime } = setUp({}, null);
    const result = expect(podbase.jobs.awaitResult(jobId(1))).rejects.toMatchObject({ code: "signed_out" });
    await runtime.settle();
    await result;
    await expect(podbase.jobs.awaitResult(jobId(1))).rejects.toMatchObject({ code: "signed_out" });
    expect(supabase.asked).toEqual([]);
  });

  it("ends the watches and leaves the channel on sign-out", async () => {
    const { supabase, runtime, watched, channel, podbase } = await setUpLive();
    supabase.signOut();
    expect(watched.onEnd).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "signed_out" }));
    expect(channel()).toBeUndefined();
    expect(podbase.connection).toBe("connecting");
    await runtime.advance(60_000);
    expect(runtime.pending()).toBe(0);
  });

  it("takes another user's channel when the user changes", async () => {
    const { supabase, runtime, watched, watch, channel } = await setUpLive();
    supabase.signIn("grace");
    expect(watched.onEnd).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "signed_out" }));
    const { versions } = watch(2);
    await runtime.advance(100);
    expect(channel()?.topic).toBe("podbase:grace");
    expect(versions).toEqual([1]);
  });

  it("does not mind that the same user's token is refreshed", async () => {
    const { supabase, watched } = await setUpLive();
    supabase.signIn("ada");
    expect(watched.onEnd).not.toHaveBeenCalled();
    expect(supabase.channels.made).toHaveLength(1);
  });

  it("drops what a reading for the former user brings", async () => {
    const { supabase, runtime, podbase, watched } = await setUpLive();
    let release = (_: Response) => {};
    supabase.intercept(() => new Promise<Response>((resolve) => (release = resolve)));
    podbase.resync();
    await runtime.advance(0);
    supabase.intercept(null);
    supabase.signIn("grace");
    release(json([jobRow(1, { version: 9 })]));
    await runtime.advance(100);
    expect(watched.versions).toEqual([1]);
  });

  it("waits when the session can't be refreshed for now", async () => {
    const { supabase, runtime, watch } = setUp();
    supabase.breakSession(new Error("the auth server is away"));
    const { versions, onEnd } = watch();
    await runtime.advance(60_000);
    expect(onEnd).not.toHaveBeenCalled();
    supabase.breakSession(null);
    await runtime.advance(30_000);
    expect(versions).toEqual([1]);
  });
});

describe("closing a client", () => {
  it("ends all watches, now and later, and leaves nothing behind", async () => {
    const { podbase, runtime, watched, channel } = await setUpLive();
    podbase.close();
    expect(watched.onEnd).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "closed" }));
    expect(channel()).toBeUndefined();
    await runtime.settle();
    expect(runtime.pending()).toBe(0);
    await expect(podbase.jobs.awaitResult(jobId(1))).rejects.toMatchObject({ code: "closed" });
  });
});
