// @vitest-environment happy-dom
import { act, createElement, type FunctionComponent } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Job } from "../src/index.ts";
import { useEstimate } from "../src/react.ts";
import { json } from "./support/fake-supabase.ts";
import { jobId } from "./support/rows.ts";
import { setUp } from "./support/set-up.ts";

beforeEach(() => void vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const HOUR = 3_600_000;
const at = (ms: number) => new Date(ms).toISOString();

describe("the server's clock", () => {
  it("is the device's until an estimate told it, and then right on a device that is hours off, as time goes by", async () => {
    const { supabase, runtime, podbase } = setUp();
    expect(Math.abs(podbase.now() - Date.now())).toBeLessThan(1_000);
    const server = runtime.now() + 3 * HOUR;
    supabase.intercept(() => {
      const now = at(server);
      return json({ now, likely: at(server + 60_000), latest: null, tasks: {} });
    });
    const { data } = await podbase.jobs.estimate(jobId(1));
    expect(podbase.now()).toBe(server);
    expect(Date.parse(data?.likely ?? "") - podbase.now()).toBe(60_000);
    await runtime.advance(20_000);
    expect(podbase.now()).toBe(server + 20_000);
  });

  it("counts an answer that took long as made half way, and learns nothing from a failure", async () => {
    const { supabase, runtime, podbase } = setUp();
    supabase.intercept(
      () =>
        new Promise((resolve) => {
          const answer = () => json({ now: at(HOUR), likely: null, latest: null, tasks: {} });
          runtime.after(4_000, () => resolve(answer()));
        }),
    );
    const asking = podbase.jobs.estimate(jobId(1));
    await runtime.advance(4_000);
    await asking;
    expect(podbase.now()).toBe(HOUR + 2_000);
    supabase.intercept(() => json({ message: "down" }, 503));
    expect((await podbase.jobs.estimate(jobId(1))).error?.code).toBe("server_error");
    expect(podbase.now()).toBe(HOUR + 2_000);
  });
});

describe("useEstimate", () => {
  const open = (n: number) =>
    ({ id: jobId(n), status: "processing", phase: "running", tasks: {} }) as Pick<
      Job,
      "id" | "status" | "phase" | "tasks"
    >;

  it("asks every 15 s while the job is open, and never shows another job's estimate", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { supabase, podbase } = setUp();
    const now = at(0);
    supabase.intercept(({ body }) => {
      const { job_id: id } = body as { job_id: string };
      if (id === jobId(2)) return new TypeError("Network request failed");
      return json({ now, likely: at(1_000), latest: null, tasks: {} });
    });
    const Page: FunctionComponent<{ n: number | null }> = ({ n }) =>
      useEstimate(podbase, n === null ? null : open(n)).estimate?.likely ?? "nothing";
    const container = document.createElement("div");
    const root = createRoot(container);
    const show = (n: number | null) =>
      act(async () => {
        root.render(createElement(Page, { n }));
        await new Promise((resolve) => setImmediate(resolve));
      });
    await show(1);
    expect(container.textContent).toBe(at(1_000));
    await show(2);
    expect(container.textContent).toBe("nothing");
    const before = supabase.asked.length;
    await act(() => vi.advanceTimersByTimeAsync(30_000));
    expect(supabase.asked.length - before).toBe(2);
    await show(null);
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(supabase.asked.length - before).toBe(2);
    await act(async () => root.unmount());
  });
});
