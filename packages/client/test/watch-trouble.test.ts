import { describe, expect, it, vi } from "vitest";
import { createPodbase } from "../src/index.ts";
import { json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";
import { completed, setUp, setUpLive } from "./support/set-up.ts";

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

  it("looks every second for a while after Realtime was lost, and then less often", async () => {
    const { supabase, runtime, channel } = await setUpLive();
    await runtime.advance(1_000);
    channel()?.fail();
    const before = supabase.reads().length;
    await runtime.advance(9_500);
    expect(supabase.reads().length - before).toBe(10);
    await runtime.advance(30_000);
    expect(supabase.reads().length - before).toBe(20);
  });

  it("gives up a reading that hung while the app slept, and reads again at once", async () => {
    const { supabase, runtime, podbase, watched } = await setUpLive();
    supabase.intercept(() => new Promise(() => {}));
    podbase.resync();
    await runtime.advance(2_000);
    supabase.intercept(null);
    supabase.database.change(jobId(1), { phase: "running" });
    podbase.resync();
    await runtime.advance(0);
    expect(watched.phases.at(-1)).toBe("running");
  });

  it("reads once however many events tell of one waking", async () => {
    const { supabase, runtime, podbase } = await setUpLive();
    const before = supabase.reads().length;
    podbase.resync();
    podbase.resync();
    podbase.resync();
    await runtime.advance(0);
    expect(supabase.reads().length - before).toBe(1);
  });

  it("gives slow networks more time with each reading that got no answer", async () => {
    const { supabase, runtime, watched } = await setUpLive();
    // Undefined leaves it to the database, this late.
    supabase.intercept(
      () => new Promise((resolve) => void runtime.after(12_000, () => resolve(undefined as never))),
    );
    supabase.changeAndTell(1, completed);
    await runtime.advance(60_000);
    expect(watched.onEnd).toHaveBeenCalledExactlyOnceWith(null);
  });

  it("goes on looking when the device's clock is set back an hour", async () => {
    const { supabase, runtime, watched, channel } = await setUpLive();
    runtime.shiftClock(-3_600_000);
    supabase.database.change(jobId(1), { phase: "running" });
    await runtime.advance(15_000);
    expect(watched.phases).toEqual(["queued", "running"]);
    runtime.shiftClock(-3_600_000);
    channel()?.fail();
    supabase.database.change(jobId(1), { phase: "retrying" });
    await runtime.advance(1_000);
    expect(watched.phases.at(-1)).toBe("retrying");
  });

  it("finds what Realtime lost with the slow poll", async () => {
    const { supabase, runtime, watched } = await setUpLive();
    supabase.database.change(jobId(1), { phase: "running" });
    await runtime.advance(14_999);
    expect(watched.phases).toEqual(["queued"]);
    await runtime.advance(1);
    expect(watched.phases).toEqual(["queued", "running"]);
  });

  it("does not take a channel for silent that tells nothing yet while a slow reading is under way", async () => {
    const { supabase, runtime, podbase, watch } = setUp();
    const watched = watch();
    await runtime.settle();
    const old = json([jobRow(1)]);
    supabase.intercept(() => new Promise((resolve) => void runtime.after(1_000, () => resolve(old))));
    const channel = supabase.channels.open();
    channel?.join();
    await runtime.advance(300);
    supabase.database.change(jobId(1), { phase: "running" });
    supabase.intercept(null);
    channel?.system({ status: "ok" });
    await runtime.advance(5_000);
    expect(watched.phases.at(-1)).toBe("running");
    expect(podbase.connection).toBe("live");
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

  it("distrusts a joined channel when a look finds news that it did not tell, until it tells some", async () => {
    const { supabase, runtime, podbase, watched } = await setUpLive();
    supabase.database.change(jobId(1), { phase: "running" });
    await runtime.advance(15_000);
    // The first reading after a join may find what happened before it.
    supabase.database.change(jobId(1), { phase: "retrying" });
    await runtime.advance(15_000);
    expect(watched.phases.at(-1)).toBe("retrying");
    expect(podbase.connection).toBe("polling");
    supabase.database.change(jobId(1), { phase: "running" });
    await runtime.advance(3_000);
    expect(watched.phases.at(-1)).toBe("running");
    supabase.changeAndTell(1, { phase: "retrying" });
    expect(podbase.connection).toBe("live");
  });

  it("asks for a new token when the server refuses the one it has, at the pace of its readings", async () => {
    const { supabase, runtime, podbase, watched } = await setUpLive();
    supabase.intercept(() => json({ code: "PGRST303", message: "JWT expired" }, 401));
    podbase.resync();
    await runtime.advance(300_000);
    expect(watched.onEnd).not.toHaveBeenCalled();
    expect(supabase.refreshes()).toBeGreaterThan(5);
    expect(supabase.refreshes()).toBeLessThan(60);
  });
});
