import { afterAll, describe, expect, it } from "vitest";
import { createPodbase, type JobStatus } from "../src/index.ts";
import { type AppStateLike, type NetInfoLike, reactNativeLifecycle } from "../src/react-native.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";

// The matrix of the browser once more, where there is no document: the app's life as React Native tells it. The clock is
// a fake one; what counts is that a second after the wake the truth is on screen, and the requests that took.

const completed = { status: "completed", phase: "done", finished_at: "2026-01-01T00:10:00+00:00" } as const;
const lines: string[] = [];
afterAll(() => console.log(`\nReact Native: reads until the truth after the wake\n${lines.join("\n")}`));

/** A phone that can be put to sleep, without network, and woken. */
const createPhone = () => {
  const onState = new Set<(state: string) => void>();
  const onNetwork = new Set<(state: { isConnected: boolean }) => void>();
  const appState = {
    currentState: "active",
    addEventListener(_type: "change", listener: (state: never) => void) {
      onState.add(listener as (state: string) => void);
      return { remove: () => void onState.delete(listener as (state: string) => void) };
    },
  } satisfies AppStateLike;
  const netInfo: NetInfoLike = {
    addEventListener(listener) {
      onNetwork.add(listener);
      return () => void onNetwork.delete(listener);
    },
  };
  return {
    appState,
    netInfo,
    set(state: "active" | "inactive" | "background") {
      appState.currentState = state;
      for (const listener of onState) listener(state);
    },
    network(isConnected: boolean) {
      for (const listener of onNetwork) listener({ isConnected });
    },
    listeners: () => onState.size + onNetwork.size,
  };
};

/** An app on a phone that watches jobs 1 to `count` and shows the status of each. */
const openApp = async ({ supabase = createFakeSupabase(), count = 1 } = {}) => {
  const runtime = createFakeRuntime();
  const phone = createPhone();
  const podbase = createPodbase(supabase.client, {
    runtime,
    lifecycle: reactNativeLifecycle(phone.appState, phone.netInfo),
  });
  for (let n = 1; n <= count; n++) {
    if (!supabase.database.rows.has(jobId(n))) supabase.database.insert(jobRow(n, { status: "processing" }));
  }
  const screen = new Map<number, JobStatus>();
  const ends: string[] = [];
  for (let n = 1; n <= count; n++) {
    podbase.jobs.watch(jobId(n), (job) => void screen.set(n, job.status), {
      onEnd: (error) => error && ends.push(error.code),
    });
  }
  await runtime.settle();
  supabase.channels.open()?.join();
  await runtime.advance(0);
  const isTrue = () =>
    Array.from({ length: count }, (_, n) => n + 1).every(
      (n) => screen.get(n) === supabase.database.rows.get(jobId(n))?.status,
    );
  /** Wakes the phone; the truth has to be there a second later. */
  const judge = async (scenario: string, wake: () => void) => {
    expect(isTrue()).toBe(false);
    const before = supabase.reads().length;
    wake();
    await runtime.advance(1_000);
    expect(isTrue()).toBe(true);
    lines.push(`  ${scenario.padEnd(40)} ${supabase.reads().length - before}`);
    expect(supabase.reads().length - before).toBeLessThanOrEqual(2);
  };
  return { supabase, runtime, phone, podbase, screen, ends, judge };
};

describe("an app on React Native", () => {
  it("has no document to listen to", () => {
    expect(typeof document).toBe("undefined");
  });

  it("shows the truth when it was in the background for the whole job", async () => {
    const { supabase, phone, judge } = await openApp();
    phone.set("inactive");
    phone.set("background");
    // A suspended app runs nothing: no timers, and its socket dies unheard.
    supabase.database.change(jobId(1), completed);
    await judge("background for the whole job", () => phone.set("active"));
  });

  it("shows the truth when it comes back from the app switcher", async () => {
    const { supabase, phone, judge } = await openApp();
    phone.set("inactive");
    supabase.database.change(jobId(1), completed);
    await judge("app switcher", () => phone.set("active"));
  });

  it("shows the truth when the network is back after a minute", async () => {
    const { supabase, runtime, phone, ends, judge } = await openApp();
    phone.network(false);
    supabase.channels.open()?.fail();
    supabase.intercept(() => new TypeError("Network request failed"));
    supabase.database.change(jobId(1), completed);
    await runtime.advance(60_000);
    supabase.intercept(null);
    await judge("network off for a minute", () => phone.network(true));
    expect(ends).toEqual([]);
  });

  it("shows the truth when Realtime was restarted, or closed the channel, while it slept", async () => {
    for (const trouble of ["fail", "closeByServer"] as const) {
      const { supabase, phone, judge } = await openApp();
      phone.set("background");
      supabase.channels.open()?.[trouble]();
      supabase.database.change(jobId(1), completed);
      await judge(`Realtime: ${trouble}`, () => phone.set("active"));
    }
  });

  it("shows the truth when shown although the open socket is silent", async () => {
    const { supabase, phone, judge } = await openApp();
    phone.set("background");
    supabase.database.change(jobId(1), completed);
    await judge("socket open but silent", () => phone.set("active"));
  });

  it("shows the truth as soon as an expired token can be renewed", async () => {
    const { supabase, runtime, phone, ends, judge } = await openApp();
    supabase.intercept(() => json({ code: "PGRST303", message: "JWT expired" }, 401));
    supabase.breakSession(new Error("Auth is out of reach"));
    supabase.channels.open()?.closeByServer();
    supabase.database.change(jobId(1), completed);
    await runtime.advance(120_000);
    supabase.intercept(null);
    supabase.breakSession(null);
    await judge("token expired mid-job", () => supabase.renew());
    expect(ends).toEqual([]);
    phone.set("active");
  });

  it("shows the truth after it was killed: what runs and what ended unseen comes back", async () => {
    const first = await openApp({ count: 3 });
    const { supabase } = first;
    first.podbase.close();
    supabase.database.change(jobId(1), completed);
    supabase.database.change(jobId(2), { ...completed, seen_at: "2026-01-01T00:11:00+00:00" });
    const { podbase } = await openApp({ supabase });
    const { data } = await podbase.jobs.restore();
    expect(data?.map((job) => [job.id, job.status])).toEqual([
      [jobId(3), "processing"],
      [jobId(1), "completed"],
    ]);
  });

  it("shows the truth of 200 jobs that ended while it slept", async () => {
    const { supabase, phone, judge } = await openApp({ count: 200 });
    phone.set("background");
    for (let n = 1; n <= 200; n++) supabase.database.change(jobId(n), completed);
    await judge("200 jobs at once", () => phone.set("active"));
  });

  it("tells a second user nothing of the same ids", async () => {
    const { phone, runtime, screen, ends } = await openApp({ supabase: withoutJobs() });
    phone.set("background");
    phone.set("active");
    await runtime.advance(1_000);
    expect(screen.size).toBe(0);
    expect(ends).toEqual(["job_not_found"]);
  });

  it("asks less often in the background, and nothing once nobody watches", async () => {
    const { supabase, runtime, phone, podbase } = await openApp();
    supabase.channels.open()?.fail();
    phone.set("background");
    const before = supabase.reads().length;
    await runtime.advance(60_000);
    expect(supabase.reads().length - before).toBeLessThanOrEqual(5);
    podbase.close();
    expect(phone.listeners()).toBe(0);
    expect(runtime.pending()).toBe(0);
  });

  it("needs no NetInfo", async () => {
    const phone = createPhone();
    let woken = 0;
    const stop = reactNativeLifecycle(phone.appState).onWake(() => void woken++);
    phone.set("background");
    phone.set("active");
    expect(woken).toBe(1);
    stop();
    phone.set("active");
    expect(woken).toBe(1);
  });
});

/** A server that shows this user nothing. */
const withoutJobs = () => {
  const supabase = createFakeSupabase("grace");
  supabase.intercept(({ path }) => (path.endsWith("find_jobs") ? json([]) : undefined));
  return supabase;
};
