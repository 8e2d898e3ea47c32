import type { JSX } from "react";
import { litPath } from "./almanac.ts";

/** How a moon looks besides its light. */
export type MoonMood = "rest" | "waiting" | "working" | "full" | "failed" | "canceled";

/**
 * A moon that fills with light as work goes on. Decoration: whatever it says stands in text beside it.
 *
 * @param props.lit 0 to 1
 * @param props.waxing lit from the right; false for a waning moon
 */
export function Moon({
  lit,
  waxing = true,
  mood,
}: {
  lit: number;
  waxing?: boolean;
  mood: MoonMood;
}): JSX.Element {
  return (
    <svg className={`moon moon-${mood}`} viewBox="-50 -50 100 100" aria-hidden="true" focusable="false">
      <circle className="moon-disc" r="44" />
      <path className="moon-light" d={litPath(lit, waxing, 44)} />
      <g className="moon-marks">
        <circle cx="-14" cy="-12" r="7" />
        <circle cx="13" cy="10" r="10" />
        <circle cx="-10" cy="20" r="4.5" />
        <circle cx="18" cy="-18" r="4" />
      </g>
      <circle className="moon-rim" r="44" />
      {mood === "failed" && <path className="moon-sign" d="M-14 -14L14 14M14 -14L-14 14" />}
      {mood === "canceled" && <path className="moon-sign" d="M-16 0H16" />}
    </svg>
  );
}
