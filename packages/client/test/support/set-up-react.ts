import { act, createElement, type FunctionComponent, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, vi } from "vitest";
import { useJob, useJobs } from "../../src/react.ts";
import { setUp } from "./set-up.ts";

// In the files that import this, React knows that its changes come inside act().
beforeEach(() => void vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true));
afterEach(() => void vi.unstubAllGlobals());

/** As `setUp`, with components that print what the hooks return, and a root in StrictMode. */
export const setUpReact = () => {
  const { supabase, runtime, podbase } = setUp();
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
