import { createClient } from "@supabase/supabase-js";
import { describe, expect, it } from "vitest";
import { createPodbase } from "../src/index.ts";
import { json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";
import { setUp, setUpLive } from "./support/set-up.ts";

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

  it("ends the watches when the session is gone without a word, as when another tab clears the storage", async () => {
    const { supabase, runtime, watched, podbase } = await setUpLive();
    supabase.breakSession(Object.assign(new Error("gone"), { name: "AuthSessionMissingError" }));
    supabase.intercept(() => json({ code: "42501", message: "permission denied" }, 401));
    podbase.resync();
    await runtime.advance(0);
    expect(watched.onEnd).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "signed_out" }));
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

describe("a Supabase client that brings its own tokens", () => {
  it("can't be watched through, and says so each time", () => {
    const supabase = createClient("http://podbase.test", "sb_publishable_test", {
      accessToken: async () => "token",
      realtime: { transport: class {} as never },
    });
    const podbase = createPodbase(supabase);
    for (const n of [1, 2]) {
      expect(() => podbase.jobs.watch(jobId(n), () => {})).toThrow(/accessToken/);
      expect(() => podbase.jobs.watch({}, () => {})).toThrow(/accessToken/);
    }
    podbase.close();
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
