// @vitest-environment happy-dom
import { act, type FunctionComponent } from "react";
import { describe, expect, it, vi } from "vitest";
import { type Artifact, createPodbase } from "../src/index.ts";
import { useArtifactUrl } from "../src/react.ts";
import { json } from "./support/fake-supabase.ts";
import { setUpReact } from "./support/set-up-react.ts";

/** An artifact's row, as the app has it. */
const artifact: Artifact = {
  name: "text",
  task: "text",
  path: "ada/text",
  contentType: "text/markdown",
  bytes: 1,
  sha256: null,
  createdAt: "",
};

describe("useArtifactUrl", () => {
  it("signs when there is an artifact and tells why it could not", async () => {
    const { supabase, podbase, container, render } = setUpReact();
    const Link: FunctionComponent<{ artifact: Artifact | undefined }> = ({ artifact }) => {
      const { url, error } = useArtifactUrl(podbase, artifact);
      return `${url ?? "no address"} ${error?.code ?? "ok"}`;
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

  it("shows no artifact at another one's address, not even at first", async () => {
    const { supabase, podbase, render } = setUpReact();
    const shown = new Set<string>();
    const Link: FunctionComponent<{ path: string }> = ({ path }) => {
      const { url } = useArtifactUrl(podbase, { ...artifact, path });
      if (url) shown.add(`${path} at ${url.split("/").at(-1)}`);
      return null;
    };
    supabase.intercept(({ path }) => json({ signedURL: `/object/sign/${path.split("/").at(-1)}` }));
    await render(Link, { path: "ada/one" });
    await render(Link, { path: "ada/two" });
    expect([...shown]).toEqual(["ada/one at one", "ada/two at two"]);
  });

  it("signs again what could not be signed offline, what did not work, and what ran out", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { supabase, runtime, podbase, container, render } = setUpReact();
    let signatures = 0;
    let broken = () => {};
    const Link: FunctionComponent<{ path: string }> = ({ path }) => {
      const { url, error, renew } = useArtifactUrl(podbase, { ...artifact, path });
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

  it("has another address for one that did not work, though that could not be signed at first", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { supabase, podbase, container, render, during } = setUpReact();
    let signatures = 0;
    let broken = () => {};
    const Link: FunctionComponent = () => {
      const { url, renew } = useArtifactUrl(podbase, artifact);
      broken = renew;
      return url?.split("=").at(-1);
    };
    supabase.intercept(() => json({ signedURL: `/object/sign/a?token=${++signatures}` }));
    await render(Link, {});
    const before = container.textContent;
    supabase.intercept(() => new TypeError("fetch failed"));
    await during(() => broken());
    expect(container.textContent).toBe(before);
    supabase.intercept(() => json({ signedURL: "/object/sign/a?token=another" }));
    await act(() => vi.advanceTimersByTimeAsync(5_000));
    await during(() => {});
    expect(container.textContent).toBe("another");
    vi.useRealTimers();
  });

  it("waits where an address lives for longer than a timer can", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { supabase, podbase, container, render } = setUpReact();
    const signing = vi.spyOn(podbase.artifacts, "url");
    supabase.intercept(() => json({ signedURL: "/object/sign/a?token=1" }));
    const Link: FunctionComponent = () => useArtifactUrl(podbase, artifact, { expiresInS: 31_536_000 }).url;
    await render(Link, {});
    expect(container.textContent).toContain("token=1");
    const before = signing.mock.calls.length;
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(signing).toHaveBeenCalledTimes(before);
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
    const { supabase, runtime, container, render } = setUpReact();
    const podbase = createPodbase(supabase.client, { runtime, lifecycle });
    let signatures = 0;
    supabase.intercept(() => json({ signedURL: `/object/sign/a?token=${++signatures}` }));
    const Link: FunctionComponent = () => useArtifactUrl(podbase, artifact).url?.split("=").at(-1);
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
