import type { JSX } from "react";

/**
 * A bar of how far work has come.
 *
 * @param props.progress 0 to 1, or null while nobody knows
 */
export function ProgressBar({ label, progress }: { label: string; progress: number | null }): JSX.Element {
  const percent = progress === null ? undefined : Math.round(Math.min(1, Math.max(0, progress)) * 100);
  return (
    <div
      className={percent === undefined ? "bar bar-unknown" : "bar"}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span style={percent === undefined ? undefined : { inlineSize: `${percent}%` }} />
    </div>
  );
}

/** Whether a bar says something: work is under way, or some of it is done. A mere wait has none. */
export function showsBar(state: { status: string; phase: string; progress: number | null }): boolean {
  return state.status === "processing" && (state.phase === "running" || (state.progress ?? 0) > 0);
}
