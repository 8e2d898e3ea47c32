import { vi } from "vitest";
import { createPodbase, type PodbaseError, type PodbaseOptions } from "../../src/index.ts";
import { createFakeRuntime } from "./fake-runtime.ts";
import { createFakeSupabase } from "./fake-supabase.ts";
import { jobId, jobRow } from "./rows.ts";

/** A client over fakes, with jobs 1 and 2 in the database. */
export const setUp = (options: PodbaseOptions = {}, userId: string | null = "ada") => {
  const supabase = createFakeSupabase(userId);
  const runtime = createFakeRuntime();
  const problems: PodbaseError[] = [];
  const podbase = createPodbase(supabase.client, {
    runtime,
    onProblem: (error) => problems.push(error),
    ...options,
  });
  supabase.database.insert(jobRow(1));
  supabase.database.insert(jobRow(2));
  /** Watches job n; keeps what came. */
  const watch = (n = 1) => {
    const versions: number[] = [];
    const phases: string[] = [];
    const onEnd = vi.fn<(error: PodbaseError | null) => void>();
    const { unsubscribe } = podbase.jobs.watch(
      jobId(n),
      (job) => {
        versions.push(job.version);
        phases.push(job.phase);
      },
      { onEnd },
    );
    return { versions, phases, onEnd, unsubscribe };
  };
  return { supabase, runtime, podbase, problems, watch };
};

/** The same, with a watch on job 1 that is live. */
export const setUpLive = async (options: PodbaseOptions = {}) => {
  const all = setUp(options);
  const watched = all.watch();
  await all.runtime.settle();
  all.supabase.channels.open()?.join();
  await all.runtime.advance(0);
  return { ...all, watched, channel: () => all.supabase.channels.open() };
};

/** The change that completes a job. */
export const completed = { status: "completed", phase: "done" } as const;
