import { describe, expect, it, vi } from "vitest";
import { createPodbase, type Delivery, type PodbaseOptions } from "../src/index.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";

/** A storage as phones have it: asynchronous, and outliving the app. */
const createStorage = () => {
  const items = new Map<string, string>();
  return {
    items,
    getItem: async (key: string) => items.get(key) ?? null,
    setItem: async (key: string, value: string) => void items.set(key, value),
  };
};

/** An app whose network is down until `online`, on a storage that may be another run's. */
const setUp = (options: PodbaseOptions = {}, supabase = createFakeSupabase()) => {
  const runtime = createFakeRuntime();
  const wakes = new Set<() => void>();
  const podbase = createPodbase(supabase.client, {
    runtime,
    lifecycle: {
      isHidden: () => false,
      onWake(callback) {
        wakes.add(callback);
        return () => void wakes.delete(callback);
      },
    },
    storage: createStorage(),
    ...options,
  });
  supabase.intercept(() => new TypeError("Network request failed"));
  const deliveries: Delivery[] = [];
  podbase.outbox.onDelivery((delivery) => deliveries.push(delivery));
  return {
    supabase,
    runtime,
    podbase,
    deliveries,
    wakes,
    online() {
      supabase.intercept(({ path }) =>
        path.endsWith("request-job")
          ? json({ jobId: jobId(1), created: true, job: jobRow(1) }, 202)
          : undefined,
      );
    },
    wake() {
      for (const callback of wakes) callback();
    },
    keys: () =>
      supabase.asked
        .filter(({ path }) => path.endsWith("request-job"))
        .map(({ body }) => (body as { idempotencyKey: string }).idempotencyKey),
  };
};

describe("the outbox", () => {
  it("keeps a request while the network is down and sends it with the same key when it is back", async () => {
    const { podbase, runtime, deliveries, online, wake, keys } = setUp();
    const sizes: number[] = [];
    podbase.outbox.onChange((requests) => sizes.push(requests.length));
    const { data } = await podbase.outbox.add("reading", { name: "Ada" });
    await runtime.advance(120_000);
    expect(deliveries).toEqual([]);
    expect(await podbase.outbox.list()).toEqual([data]);
    online();
    wake();
    await runtime.advance(1_000);
    expect(deliveries).toMatchObject([{ request: data, job: { id: jobId(1) }, error: null }]);
    expect(await podbase.outbox.list()).toEqual([]);
    expect(new Set(keys())).toEqual(new Set([data?.idempotencyKey]));
    expect(sizes).toEqual([1, 0]);
  });

  it("finds the network by itself, a minute late at most", async () => {
    const { podbase, runtime, deliveries, online } = setUp();
    await podbase.outbox.add("reading", {});
    await runtime.advance(300_000);
    online();
    await runtime.advance(75_000);
    expect(deliveries).toHaveLength(1);
    podbase.close();
    expect(runtime.pending()).toBe(0);
  });

  it("goes on after a restart with what the last run left, in order", async () => {
    const storage = createStorage();
    const first = setUp({ storage });
    await first.podbase.outbox.add("reading", { n: 1 }, { idempotencyKey: "one" });
    await first.podbase.outbox.add("reading", { n: 2 }, { idempotencyKey: "two" });
    await first.podbase.outbox.add("reading", { n: 2 }, { idempotencyKey: "two" });
    first.podbase.close();
    const second = setUp({ storage });
    second.online();
    second.podbase.outbox.start();
    await second.runtime.advance(0);
    expect(second.keys()).toEqual(["one", "two"]);
    expect(second.deliveries).toHaveLength(2);
  });

  it("tells what the server refused and does not send it again", async () => {
    const { supabase, podbase, runtime, deliveries } = setUp();
    supabase.intercept(() => json({ error: { code: "invalid_input", message: "No" } }, 400));
    await podbase.outbox.add("reading", {});
    await runtime.advance(600_000);
    expect(deliveries).toMatchObject([{ job: null, error: { code: "invalid_input" } }]);
    expect(await podbase.outbox.list()).toEqual([]);
    expect(supabase.asked).toHaveLength(1);
  });

  it("sends nobody's requests as somebody else", async () => {
    const { supabase, podbase, runtime, deliveries, online } = setUp();
    await podbase.outbox.add("reading", {});
    await runtime.advance(20_000);
    supabase.signIn("grace");
    online();
    await runtime.advance(300_000);
    expect(deliveries).toEqual([]);
    expect(await podbase.outbox.list()).toEqual([]);
    supabase.signIn("ada");
    await runtime.advance(1_000);
    expect(deliveries).toHaveLength(1);
  });

  it("shows nobody's requests to somebody else, nor what becomes of them", async () => {
    const { supabase, podbase, runtime, deliveries } = setUp();
    const shown: number[] = [];
    podbase.outbox.onChange((requests) => shown.push(requests.length));
    await podbase.outbox.add("reading", {});
    await podbase.outbox.add("reading", {});
    expect(shown).toEqual([1, 2]);
    await runtime.advance(60_000);
    const answers: ((response: Response) => void)[] = [];
    supabase.intercept(() => new Promise((resolve) => void answers.push(resolve)));
    await runtime.advance(60_000);
    supabase.signIn("grace");
    await runtime.settle();
    expect(shown).toEqual([1, 2, 0]);
    for (const answer of answers) answer(json({ jobId: jobId(1), created: true, job: jobRow(1) }, 202));
    await runtime.settle();
    expect(shown).toEqual([1, 2, 0]);
    expect(deliveries).toEqual([]);
    supabase.signIn("ada");
    await runtime.settle();
    expect(shown).toEqual([1, 2, 0, 1]);
  });

  it("queues after an hour's sleep without a network, when no token can be renewed", async () => {
    const { supabase, podbase, runtime, deliveries, online, wake } = setUp();
    supabase.breakSession(new Error("Failed to fetch"));
    const { data, error } = await podbase.outbox.add("reading", { name: "Ada" });
    expect(error).toBeNull();
    expect(await podbase.outbox.list()).toEqual([data]);
    await runtime.advance(60_000);
    supabase.breakSession(null);
    online();
    wake();
    await runtime.advance(1_000);
    expect(deliveries).toHaveLength(1);
  });

  it("does not go round and round where each look at the session renews it, as with a clock that is hours ahead", async () => {
    const { supabase, podbase, runtime } = setUp();
    const { getSession } = supabase.client.auth;
    let looks = 0;
    Object.assign(supabase.client.auth, {
      getSession() {
        if (++looks < 100) supabase.renew();
        return getSession();
      },
    });
    podbase.outbox.start();
    await runtime.advance(60_000);
    expect(looks).toBeLessThan(3);
    await podbase.outbox.add("reading", {});
    await runtime.advance(60_000);
    expect(looks).toBeLessThan(50);
  });

  it("sends at once with a new token what was refused for the old one", async () => {
    const { supabase, podbase, runtime, deliveries, online } = setUp();
    supabase.intercept(() => json({ code: "UNAUTHORIZED_EXPIRED_JWT" }, 401));
    await podbase.outbox.add("reading", {});
    await runtime.settle();
    online();
    supabase.renew();
    await runtime.settle();
    expect(deliveries).toHaveLength(1);
  });

  it("begins anew where the storage holds half a queue", async () => {
    const storage = createStorage();
    storage.items.set("podbase.outbox.ada", '[{"kind":"reading","inp');
    const { podbase } = setUp({ storage });
    const { data } = await podbase.outbox.add("reading", {});
    expect(await podbase.outbox.list()).toEqual([data]);
  });

  it("shows what other tabs of the app did to the queue: when they do it, and when it looks itself", async () => {
    const window = new EventTarget();
    vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
    vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
    const storage = createStorage();
    const supabase = createFakeSupabase();
    const [one, other] = [setUp({ storage }, supabase), setUp({ storage }, supabase)];
    const sizes: number[] = [];
    other.podbase.outbox.onChange((requests) => sizes.push(requests.length));
    other.podbase.outbox.start();
    await other.runtime.settle();
    await one.podbase.outbox.add("reading", {});
    window.dispatchEvent(new Event("storage"));
    await other.runtime.settle();
    expect(sizes).toEqual([1]);
    one.online();
    one.wake();
    await one.runtime.settle();
    expect(one.deliveries).toHaveLength(1);
    other.wake();
    await other.runtime.settle();
    expect(sizes).toEqual([1, 0]);
    expect(one.keys()).toHaveLength(2);
    vi.unstubAllGlobals();
  });

  it("sends at once when the network is back, also in the middle of its tries", async () => {
    const { supabase, podbase, runtime, deliveries, online, wake } = setUp();
    await podbase.outbox.add("reading", {});
    await runtime.advance(3_500);
    online();
    wake();
    await runtime.settle();
    expect(deliveries).toHaveLength(1);
    // On the connection that the sleep has killed nobody answers.
    supabase.intercept(() => new Promise(() => {}));
    await podbase.outbox.add("reading", {});
    await runtime.advance(20_000);
    online();
    wake();
    await runtime.settle();
    expect(deliveries).toHaveLength(2);
  });

  it("takes a request back", async () => {
    const { podbase, runtime, deliveries, online, wake } = setUp();
    await podbase.outbox.add("reading", {}, { idempotencyKey: "mine" });
    await runtime.advance(60_000);
    await podbase.outbox.remove("mine");
    online();
    wake();
    await runtime.advance(60_000);
    expect(deliveries).toEqual([]);
  });

  it("keeps requests in memory where localStorage is null, as in Android's WebView", async () => {
    vi.stubGlobal("localStorage", null);
    const podbase = createPodbase(createFakeSupabase().client, { runtime: createFakeRuntime() });
    vi.unstubAllGlobals();
    const { data } = await podbase.outbox.add("reading", {});
    expect(await podbase.outbox.list()).toEqual([data]);
  });

  it("needs somebody who is signed in, and a storage that works", async () => {
    const nobody = setUp({}, createFakeSupabase(null));
    expect((await nobody.podbase.outbox.add("reading", {})).error?.code).toBe("signed_out");
    const full = setUp({
      storage: {
        getItem: () => null,
        setItem() {
          throw new Error("QuotaExceededError");
        },
      },
    });
    expect((await full.podbase.outbox.add("reading", {})).error?.code).toBe("unexpected");
  });
});
