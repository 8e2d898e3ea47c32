// @vitest-environment happy-dom
import { act, createElement, type FunctionComponent, StrictMode } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Artifact, createPodbase, type UntypedCatalog } from "../src/index.ts";
import {
  PodbaseProvider,
  type UseRequestJob,
  useArtifactUrl,
  useJob,
  useJobs,
  usePodbase,
  useRequestJob,
} from "../src/react.ts";
import { createFakeRuntime } from "./support/fake-runtime.ts";
import { createFakeSupabase, json } from "./support/fake-supabase.ts";
import { jobId, jobRow } from "./support/rows.ts";

beforeEach(() => void vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true));
afterEach(() => void vi.unstubAllGlobals());

/** A client over fakes with jobs 1 and 2, components that print what the hooks return, and a root in StrictMode. */
const setUp = () => {
  const supabase = createFakeSupabase();
  const runtime = createFakeRuntime();
  const podbase = createPodbase(supabase.client, { runtime });
  supabase.database.insert(jobRow(1));
  supabase.database.insert(jobRow(2));
  const renders = vi.fn();

  const One: FunctionComponent<{ id: string | null }> = ({ id }) => {
    const { job, error, connection } = useJob(podbase, id);
    renders();
    return `${job ? `${job.id.at(-1)} ${job.phase}` : "none"}, ${error?.code ?? "no error"}, ${connection}`;
  };
  const All: FunctionComponent<{ limit?: number }> = ({ limit }) => {
    const { jobs, loading, error } = useJobs(podbase, limit === undefined ? {} : { limit });
    return `${loading ? "loading" : jobs.map((job) => `${job.id.at(-1)} ${job.phase}`).join()}, ${error?.code ?? "no error"}`;
  };

  const container = document.createElement("div");
  const root = createRoot(container);
  const render = async <Props extends object>(component: FunctionComponent<Props>, props: Props) => {
    // Effects run when an act ends, and only then is there something to let time pass for.
    await act(async () => root.render(createElement(StrictMode, null, createElement(component, props))));
    await act(() => runtime.advance(0));
  };
  const during = (work: () => unknown, ms = 0) =>
    act(async () => {
      await work();
      await runtime.advance(ms);
    });
  return { supabase, runtime, podbase, container, root, render, during, renders, One, All };
};

describe("useJob", () => {
  it("shows the job and its changes, and how they arrive", async () => {
    const { supabase, container, render, during, One } = setUp();
    await render(One, { id: jobId(1) });
    expect(container.textContent).toBe("1 queued, no error, connecting");
    await during(() => supabase.channels.open()?.join());
    await during(() => supabase.changeAndTell(1, { phase: "running" }));
    expect(container.textContent).toBe("1 running, no error, live");
  });

  it("keeps showing a job that has come to its end", async () => {
    const { supabase, container, render, during, One } = setUp();
    await render(One, { id: jobId(1) });
    await during(() => supabase.channels.open()?.join());
    await during(() => supabase.changeAndTell(1, { status: "completed", phase: "done" }), 60_000);
    expect(container.textContent).toBe("1 done, no error, connecting");
  });

  it("joins one channel in StrictMode, which mounts everything twice", async () => {
    const { supabase, render, during, One } = setUp();
    await render(One, { id: jobId(1) });
    await during(() => {}, 10_000);
    expect(supabase.channels.made).toHaveLength(1);
  });

  it("follows another job when the id changes, and none without an id", async () => {
    const { container, render, One } = setUp();
    await render(One, { id: null });
    expect(container.textContent).toBe("none, no error, connecting");
    await render(One, { id: jobId(2) });
    expect(container.textContent).toBe("2 queued, no error, connecting");
    await render(One, { id: jobId(1) });
    expect(container.textContent).toBe("1 queued, no error, connecting");
  });

  it("says why a job can't be followed, and shows nothing of it any more", async () => {
    const { supabase, container, render, during, One } = setUp();
    await render(One, { id: jobId(9) });
    expect(container.textContent).toContain("none, job_not_found");
    await render(One, { id: jobId(1) });
    await during(() => supabase.signOut());
    expect(container.textContent).toContain("none, signed_out");
  });

  it("leaves nothing behind when it is unmounted", async () => {
    const { supabase, runtime, root, render, during, One } = setUp();
    await render(One, { id: jobId(1) });
    await during(() => root.unmount(), 1_000);
    expect(supabase.channels.open()).toBeUndefined();
    expect(runtime.pending()).toBe(0);
  });

  it("does not render again when nothing changed", async () => {
    const { supabase, render, during, renders, One } = setUp();
    await render(One, { id: jobId(1) });
    await during(() => supabase.channels.open()?.join());
    const before = renders.mock.calls.length;
    await during(() => {}, 60_000);
    expect(renders).toHaveBeenCalledTimes(before);
  });
});

describe("useJobs", () => {
  it("is loading until the first answer and then shows the newest jobs", async () => {
    const { supabase, container, root, render, during, runtime, All } = setUp();
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
    const { supabase, podbase, container, render, during, One } = setUp();
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
});

describe("useRequestJob", () => {
  it("asks once for a double click, with one key until it worked, and with another one after that", async () => {
    const { supabase, podbase, container, render, during } = setUp();
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
});

describe("usePodbase", () => {
  it("gives the provider's client, and tells when there is none", async () => {
    const { podbase, container, render } = setUp();
    const Name = () => (usePodbase() === podbase ? "the same" : "another");
    await render(() => createElement(PodbaseProvider, { podbase }, createElement(Name)), {});
    expect(container.textContent).toBe("the same");
    expect(() => renderToString(createElement(Name))).toThrow("PodbaseProvider");
  });
});

describe("useArtifactUrl", () => {
  it("signs when there is an artifact and tells why it could not", async () => {
    const { supabase, podbase, container, render } = setUp();
    const Link: FunctionComponent<{ artifact: Artifact | undefined }> = ({ artifact }) => {
      const { url, error } = useArtifactUrl(podbase, artifact);
      return `${url ?? "no address"} ${error?.code ?? "ok"}`;
    };
    const artifact: Artifact = {
      name: "text",
      task: "text",
      path: "ada/text",
      contentType: "text/markdown",
      bytes: 1,
      sha256: null,
      createdAt: "",
    };
    await render(Link, { artifact: undefined });
    expect(container.textContent).toBe("no address ok");
    supabase.intercept(() => json({ signedURL: "/object/sign/podbase/ada/text?token=t" }));
    await render(Link, { artifact });
    expect(container.textContent).toContain("/object/sign/podbase/ada/text?token=t ok");
    supabase.intercept(() => json({ statusCode: "404", error: "not_found", message: "gone" }, 400));
    await render(Link, { artifact: { ...artifact, path: "ada/other" } });
    expect(container.textContent).toBe("no address not_found");
  });

  it("signs again what could not be signed offline, what did not work, and what ran out", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { supabase, runtime, podbase, container, render } = setUp();
    let signatures = 0;
    let broken = () => {};
    const Link: FunctionComponent<{ path: string }> = ({ path }) => {
      const artifact = { name: "a", task: "t", path, contentType: "image/png", bytes: 1, sha256: null };
      const { url, error, renew } = useArtifactUrl(podbase, { ...artifact, createdAt: "" });
      broken = renew;
      return `${url?.split("=").at(-1) ?? "none"} ${error?.code ?? "ok"}`;
    };
    const pass = (ms: number) =>
      act(async () => {
        await runtime.advance(ms);
        await vi.advanceTimersByTimeAsync(ms);
      });
    supabase.intercept(() => new TypeError("fetch failed"));
    await render(Link, { path: "ada/a" });
    expect(container.textContent).toBe("none network");
    supabase.intercept(() => json({ signedURL: `/object/sign/a?token=${++signatures}` }));
    await pass(5_000);
    expect(container.textContent).toBe("1 ok");
    broken();
    broken();
    await pass(0);
    expect(container.textContent).toBe("2 ok");
    await pass(3_600_000);
    expect(container.textContent).toBe("3 ok");
    vi.useRealTimers();
  });

  it("has an address that works when the app wakes after a long sleep", async () => {
    let wake = () => {};
    const lifecycle = {
      isHidden: () => false,
      onWake(callback: () => void) {
        wake = callback;
        return () => {};
      },
    };
    const { supabase, runtime, container, render } = setUp();
    const podbase = createPodbase(supabase.client, { runtime, lifecycle });
    let signatures = 0;
    supabase.intercept(() => json({ signedURL: `/object/sign/a?token=${++signatures}` }));
    const artifact = {
      name: "a",
      task: "t",
      path: "ada/a",
      contentType: "image/png",
      bytes: 1,
      sha256: null,
    };
    const Link: FunctionComponent = () =>
      useArtifactUrl(podbase, { ...artifact, createdAt: "" })
        .url?.split("=")
        .at(-1);
    await render(Link, {});
    await act(async () => {
      wake();
      await runtime.advance(0);
    });
    const soon = container.textContent;
    await act(async () => {
      await runtime.advance(7_200_000);
      wake();
      await runtime.advance(0);
    });
    expect(Number(container.textContent)).toBe(Number(soon) + 1);
  });
});

describe("the hooks on a server", () => {
  it("render without asking anything, and hydrate without a mismatch", async () => {
    const { supabase, runtime, during, One, All } = setUp();
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
