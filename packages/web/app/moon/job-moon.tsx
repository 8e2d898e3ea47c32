import type { JSX } from "react";
import { Moon, type MoonMood } from "./moon.tsx";

/** The moon of a job or a task: dark while it waits, filling while it is worked on, full when it is done. */
export function JobMoon({
  job,
}: {
  job: { status: string; phase: string; progress: number | null };
}): JSX.Element {
  switch (job.status) {
    case "completed":
      return <Moon lit={1} mood="full" />;
    case "failed":
    case "canceled":
      return <Moon lit={0} mood={job.status} />;
    case "blocked":
      return <Moon lit={0} mood="rest" />;
  }
  const mood: MoonMood = job.status === "processing" && job.phase === "running" ? "working" : "waiting";
  // Never quite dark nor quite full: both would say something else.
  return <Moon lit={Math.min(0.92, Math.max(0.1, job.progress ?? 0.1))} mood={mood} />;
}
