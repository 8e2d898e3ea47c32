// @vitest-environment happy-dom
import { act, createElement } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import type { UntypedCatalog } from "../src/index.ts";
import { PodbaseProvider, type UseRequestJob, useJob, usePodbase, useRequestJob } from "../src/react.ts";
import { json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";
import { setUpReact } from "./support/set-up-react.ts";

describe("useJob", () => {
  it("shows the job and its changes, and how they arrive", async () => {
    const { supabase, container, render, during, One } = setUpReact();
    await render(One, { id: jobId(1) });
    expect(container.textContent).toBe("1 queued, no error, connecting");
    await during(() => supabase.channels.open()?.join());
    await during(() => supabase.changeAndTell(1, { phase: "running" }));
    expect(container.textContent).toBe("1 running, no error, live");
  });

  it("keeps showing a job that has come to its end", async () => {
    const { supabase, container, render, during, One } = setUpReact();
    await render(One, { id: jobId(1) });
    await during(() => supabase.channels.open()?.join());
    await during(() => supabase.changeAndTell(1, { status: "completed", phase: "done" }), 60_000);
    expect(container.textContent).toBe("1 done, no error, connecting");
  });

  it("joins one channel in StrictMode, which mounts everything twice", async () => {
    const { supabase, render, during, One } = setUpReact();
    await render(One, { id: jobId(1) });
    await during(() => {}, 10_000);
    expect(supabase.channels.made).toHaveLength(1);
  });

  it("follows another job when the id changes, and none without an id", async () => {
    const { container, render, One } = setUpReact();
    await render(One, { id: null });
    expect(container.textContent).toBe("none, no error, connecting");
    await render(One, { id: jobId(2) });
    expect(container.textContent).toBe("2 queued, no error, connecting");
    await render(One, { id: jobId(1) });
    expect(container.textContent).toBe("1 queued, no error, connecting");
  });

  it("says why a job can't be followed, and shows nothing of it any more", async () => {
    const { supabase, container, render, during, One } = setUpReact();
    await render(One, { id: jobId(9) });
    expect(container.textContent).toContain("none, job_not_found");
    await render(One, { id: jobId(1) });
    await during(() => supabase.signOut());
    expect(container.textContent).toContain("none, signed_out");
  });

  it("leaves nothing behind when it is unmounted", async () => {
    const { supabase, runtime, root, render, during, One } = setUpReact();
    await render(One, { id: jobId(1) });
    await during(() => root.unmount(), 1_000);
    expect(supabase.channels.open()).toBeUndefined();
    expect(runtime.pending()).toBe(0);
  });

  it("does not render again when nothing changed", async () => {
    const { supabase, render, during, renders, One } = setUpReact();
    await render(One, { id: jobId(1) });
    await during(() => supabase.channels.open()?.join());
    const before = renders.mock.calls.length;
    await during(() => {}, 60_000);
    expect(renders).toHaveBeenCalledTimes(before);
  });
});

describe("useJobs", () => {
  it("is loading until the first answer and then shows the newest jobs", async () => {
    const { supabase, container, root, render, during, runtime, All } = setUpReact();
    await act(async () => root.render(createElement(All)));
    expect(container.textContent).toBe("loading, no error");
    await during(() => runtime.advance(0));
    expect(container.textContent).toBe("2 queued,1 queued, no error");
    await during(() => supabase.channels.open()?.join());
    await during(() => supabase.changeAndTell(1, { phase: "running" }));
    expect(container.textContent).toBe("2 queued,1 running, no error");
    await render(All, { limit: 1 });
    expect(container.textContent).toBe("2 queued, no error");
  });
});

describe("useJob after a retry", () => {
  it("follows the job again that it had shown at its end", async () => {
    const { supabase, podbase, container, render, during, One } = setUpReact();
    await render(One, { id: jobId(1) });
    await during(() => supabase.channels.open()?.join());
    await during(() => supabase.changeAndTell(1, { status: "failed", phase: "done" }), 60_000);
    expect(container.textContent).toContain("1 done");
    supabase.database.change(jobId(1), { status: "queued", phase: "queued" });
    supabase.intercept(({ path }) =>
      path.endsWith("retry_job") ? json(supabase.database.rows.get(jobId(1))) : undefined,
    );
    await during(() => podbase.jobs.retry(jobId(1)), 100);
    expect(container.textContent).toContain("1 queued");
    await during(() => supabase.channels.open()?.join());
    await during(() => supabase.changeAndTell(1, { phase: "running" }));
    expect(container.textContent).toContain("1 running");
  });

  it.each([
    ["with a list of the newest jobs", true],
    ["without one", false],
  ])("shows where a job ended that was retried elsewhere while the app slept, %s", async (_how, listed) => {
    const { supabase, podbase, container, render, during } = setUpReact();
    const Status = () => {
      const { job } = useJob(podbase, jobId(1));
      return `${job?.status}, ${job?.error?.code}`;
    };
    if (listed) podbase.jobs.watch({}, () => {});
    await render(Status, {});
    await during(() => supabase.channels.open()?.join());
    const error = { code: "bad_input", message: "no" };
    await during(() => supabase.changeAndTell(1, { status: "failed", phase: "done", error }), 60_000);
    expect(container.textContent).toBe("failed, bad_input");
    supabase.database.change(jobId(1), { status: "queued", phase: "queued", error: null });
    supabase.database.change(jobId(1), { status: "completed", phase: "done" });
    const wake = () => window.dispatchEvent(new Event("online"));
    await during(() => (listed ? podbase.resync() : wake()), 60_000);
    expect(container.textContent).toBe("completed, undefined");
    const reads = supabase.reads().length;
    if (!listed) await during(wake, 60_000);
    expect(supabase.reads()).toHaveLength(reads);
    await during(() => podbase.close());
  });
});

describe("useRequestJob", () => {
  it("asks once for a double click, with one key until it worked, and with another one after that", async () => {
    const { supabase, podbase, container, render, during } = setUpReact();
    let hook: UseRequestJob<UntypedCatalog, string> | undefined;
    const Form = () => {
      hook = useRequestJob(podbase, "reading");
      return `${hook.pending ? "pending" : "idle"} ${hook.error?.code ?? "ok"} ${hook.job?.id.at(-1) ?? "none"}`;
    };
    await render(Form, {});
    supabase.intercept(() => new TypeError("fetch failed"));
    const clicks = () => Promise.all([hook?.request({ name: "Ada" }), hook?.request({ name: "Ada" })]);
    await during(() => void clicks(), 60_000);
    expect(container.textContent).toBe("idle network none");
    supabase.intercept(() => json({ jobId: jobId(1), created: true, job: jobRow(1) }, 202));
    await during(() => hook?.request({ name: "Ada" }));
    expect(container.textContent).toBe("idle ok 1");
    await during(() => hook?.request({ name: "Ada" }));
    const keys = supabase.asked.map(({ body }) => (body as { idempotencyKey: string }).idempotencyKey);
    expect(keys).toHaveLength(6);
    expect(new Set(keys.slice(0, 5)).size).toBe(1);
    expect(keys[5]).not.toBe(keys[0]);
  });

  it("takes the same input for another kind as another wish", async () => {
    const { supabase, podbase, render, during } = setUpReact();
    let hook: UseRequestJob<UntypedCatalog, string> | undefined;
    const Form = ({ kind }: { kind: string }) => {
      hook = useRequestJob(podbase, kind);
      return null;
    };
    supabase.intercept(() => json({ error: { code: "unknown_job_kind", message: "No" } }, 404));
    for (const kind of ["reading", "song"]) {
      await render(Form, { kind });
      await during(() => hook?.request({ name: "Ada" }));
    }
    const keys = supabase.asked.map(({ body }) => (body as { idempotencyKey: string }).idempotencyKey);
    expect(new Set(keys).size).toBe(2);
  });
});

describe("usePodbase", () => {
  it("gives the provider's client, and tells when there is none", async () => {
    const { podbase, container, render } = setUpReact();
    const Name = () => (usePodbase() === podbase ? "the same" : "another");
    await render(() => createElement(PodbaseProvider, { podbase }, createElement(Name)), {});
    expect(container.textContent).toBe("the same");
    expect(() => renderToString(createElement(Name))).toThrow("PodbaseProvider");
  });
});

describe("the hooks on a server", () => {
  it("render without asking anything, and hydrate without a mismatch", async () => {
    const { supabase, runtime, during, One, All } = setUpReact();
    const page = () =>
      createElement("p", null, createElement(One, { id: jobId(1) }), " / ", createElement(All));
    const html = renderToString(page());
    expect(html.replaceAll("<!-- -->", "")).toBe("<p>none, no error, connecting / loading, no error</p>");
    expect(supabase.asked).toEqual([]);
    expect(runtime.pending()).toBe(0);
    const container = document.createElement("div");
    container.innerHTML = html;
    const onRecoverableError = vi.fn();
    await act(async () => void hydrateRoot(container, page(), { onRecoverableError }));
    await during(() => {});
    expect(onRecoverableError).not.toHaveBeenCalled();
    expect(container.textContent).toBe("1 queued, no error, connecting / 2 queued,1 queued, no error");
  });
});
