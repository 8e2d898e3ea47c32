import { describe, expect, it } from "vitest";
import { createPodbase, type JobFilter } from "../src/index.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";

/** A live watch on the newest two jobs, or others, of a database with jobs 1 and 2. */
const setUp = async (filter: JobFilter = { limit: 2 }) => {
  const supabase = createFakeSupabase();
  const runtime = createFakeRuntime();
  const podbase = createPodbase(supabase.client, { runtime });
  supabase.database.insert(jobRow(1));
  supabase.database.insert(jobRow(2));
  const shown: string[] = [];
  const { unsubscribe } = podbase.jobs.watch(filter, ({ jobs, error }) => {
    const told = jobs.map((job) => `${Number(job.id.slice(-12))}:${job.phase}`).join(" ");
    shown.push(error ? `${told} ${error.code}`.trim() : told);
  });
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

  it("of a status shows a job each time that it comes back to it", async () => {
    const { supabase, runtime, shown } = await setUp({ status: "failed", limit: 10 });
    for (const round of [1, 2, 3]) {
      supabase.changeAndTell(1, { status: "failed", phase: "done" });
      await runtime.advance(1_000);
      expect([round, shown.at(-1)]).toEqual([round, "1:done"]);
      supabase.changeAndTell(1, { status: "queued", phase: "queued" });
      await runtime.advance(1_000);
      expect([round, shown.at(-1)]).toEqual([round, ""]);
    }
  });

  it("that begins while nobody is signed in says so, and fills for who comes", async () => {
    const { supabase, runtime, podbase } = await setUp();
    supabase.signOut();
    const told: (string | number)[] = [];
    podbase.jobs.watch({}, ({ jobs, error }) => told.push(error?.code ?? jobs.length));
    await runtime.advance(1_000);
    expect(told).toEqual(["signed_out"]);
    supabase.signIn("grace");
    await runtime.advance(100);
    expect(told).toEqual(["signed_out", 2]);
    supabase.signOut();
    podbase.jobs.watch({ limit: 1 }, () => told.push("told in vain")).unsubscribe();
    await runtime.advance(1_000);
    expect(told).toEqual(["signed_out", 2, "signed_out"]);
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
    podbase.jobs.watch({}, ({ error }) => shown.push(`late ${error?.code}`));
    await runtime.settle();
    expect(shown.at(-1)).toBe("late closed");
  });

  it("bears a listener that begins anew at each error", async () => {
    const { supabase, runtime, podbase, unsubscribe } = await setUp();
    unsubscribe();
    let begun = 0;
    const begin = () => {
      if (++begun > 10) throw new Error("begun without end");
      const watching = podbase.jobs.watch({}, ({ error }) => {
        if (!error || error.code === "closed") return;
        watching.unsubscribe();
        begin();
      });
    };
    begin();
    await runtime.settle();
    supabase.signOut();
    expect(begun).toBe(2);
    supabase.intercept(() => new TypeError("fetch failed"));
    supabase.signIn("ada");
    await runtime.advance(0);
    expect(begun).toBe(3);
    podbase.close();
  });
});

describe("watching the jobs of a status", () => {
  it("shows jobs as they get it, and not any more when they lose it", async () => {
    const { shown, supabase, runtime } = await setUp({ status: "processing" });
    expect(shown).toEqual([""]);
    supabase.changeAndTell(1, { status: "processing", phase: "running" });
    await runtime.advance(100);
    expect(shown.at(-1)).toBe("1:running");
    supabase.changeAndTell(2, { status: "processing", phase: "submitting" });
    await runtime.advance(100);
    expect(shown.at(-1)).toBe("2:submitting 1:running");
    supabase.changeAndTell(1, { status: "completed", phase: "done" });
    await runtime.advance(100);
    expect(shown.at(-1)).toBe("2:submitting");
    expect(supabase.reads()[0]?.body).toEqual({ max_jobs: 50, statuses: ["processing"] });
  });

  it("asks nothing for jobs of other statuses, and reads once for an older one that has it", async () => {
    const { supabase, runtime } = await setUp({ limit: 1, status: ["queued", "processing"] });
    supabase.database.insert(jobRow(3, { status: "completed" }));
    const before = supabase.reads().length;
    supabase.changeAndTell(3, { seen_at: "now" });
    await runtime.advance(1_000);
    expect(supabase.reads()).toHaveLength(before);
    for (const progress of [0.1, 0.2, 0.3]) {
      supabase.changeAndTell(1, { progress });
      await runtime.advance(1_000);
    }
    expect(supabase.reads()).toHaveLength(before + 1);
  });

  it("fills the place of a job that left", async () => {
    const { shown, supabase, runtime } = await setUp({ limit: 1, status: "queued" });
    expect(shown).toEqual(["2:queued"]);
    supabase.changeAndTell(2, { status: "processing", phase: "submitting" });
    await runtime.advance(100);
    expect(shown.at(-1)).toBe("1:queued");
  });
});

describe("a list as an async iterable", () => {
  it("yields the newest lists and leaves nothing behind, however it ends", async () => {
    const { supabase, runtime, podbase, unsubscribe } = await setUp();
    const seen: string[] = [];
    const follow = async (leave: () => boolean) => {
      for await (const { jobs } of podbase.jobs.watch({ limit: 2 })) {
        seen.push(jobs.map(({ phase }) => phase).join());
        if (seen.length === 2 && leave()) break;
      }
    };
    const broken = follow(() => true);
    await runtime.advance(100);
    supabase.changeAndTell(1, { phase: "running" });
    await runtime.settle();
    await broken;
    expect(seen).toEqual(["queued,queued", "queued,running"]);
    seen.length = 0;
    const thrown = follow(() => {
      throw new Error("of the app");
    });
    const failed = expect(thrown).rejects.toThrow("of the app");
    await runtime.advance(100);
    supabase.changeAndTell(1, { phase: "retrying" });
    await runtime.settle();
    await failed;
    const controller = new AbortController();
    const aborted = (async () => {
      for await (const _ of podbase.jobs.watch({}, { signal: controller.signal }));
    })();
    await runtime.advance(100);
    controller.abort();
    await aborted;
    unsubscribe();
    await runtime.advance(1_000);
    expect(supabase.channels.open()).toBeUndefined();
    expect(supabase.channels.made).toHaveLength(1);
    expect(runtime.pending()).toBe(0);
  });

  it("tells of a sign-out and goes on, and throws when the client is closed", async () => {
    const { supabase, runtime, podbase } = await setUp();
    const codes: (string | undefined)[] = [];
    const following = (async () => {
      for await (const { error } of podbase.jobs.watch({})) codes.push(error?.code);
    })();
    const closed = expect(following).rejects.toMatchObject({ code: "closed" });
    await runtime.advance(100);
    supabase.signOut();
    await runtime.settle();
    supabase.signIn("ada");
    await runtime.advance(100);
    expect(codes).toEqual([undefined, "signed_out", undefined]);
    podbase.close();
    await closed;
  });

  it("ends a watch by callback with the signal", async () => {
    const { supabase, runtime, podbase, unsubscribe } = await setUp();
    const controller = new AbortController();
    let told = 0;
    podbase.jobs.watch({}, () => told++, { signal: controller.signal });
    await runtime.advance(100);
    unsubscribe();
    controller.abort();
    const before = told;
    await runtime.advance(1_000);
    expect([told, runtime.pending(), supabase.channels.open()]).toEqual([before, 0, undefined]);
  });
});
