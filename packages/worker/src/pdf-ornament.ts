import type { PDFPage } from "pdf-lib";
import { ACCENT, MUTED } from "./pdf-page.ts";

/** Degrees from the sun of the moons in the title's ornament. */
const ELONGATIONS = [0, 50, 90, 130, 180, 230, 270, 310, 360] as const;

/** The moon from new to full and back, drawn in a row around a middle. */
export function drawMoons(page: PDFPage, x: number, y: number): void {
  const radius = 6;
  const distance = 22;
  ELONGATIONS.forEach((elongation, index) => {
    const at = { x: x + (index - (ELONGATIONS.length - 1) / 2) * distance, y };
    page.drawCircle({ ...at, size: radius, borderColor: ACCENT, borderWidth: 0.6 });
    const lit = litPath(elongation, radius);
    if (lit) page.drawSvgPath(lit, { ...at, color: ACCENT, borderWidth: 0 });
  });
}

/** Three dots for a break in the text. */
export function drawDots(page: PDFPage, x: number, y: number): void {
  for (const offset of [-14, 0, 14]) page.drawCircle({ x: x + offset, y, size: 1.3, color: MUTED });
}

/** The lit part of the disc as an SVG path around 0, 0: half of the limb, and back along the terminator, half an ellipse. */
function litPath(elongation: number, radius: number): string | null {
  if (elongation % 360 === 0) return null;
  const waxing = elongation <= 180;
  const terminator = radius * Math.abs(Math.cos((elongation * Math.PI) / 180));
  const gibbous = elongation > 90 && elongation < 270;
  const limbSweep = waxing ? 1 : 0;
  const terminatorSweep = gibbous ? limbSweep : 1 - limbSweep;
  return `M 0 ${-radius} A ${radius} ${radius} 0 0 ${limbSweep} 0 ${radius} A ${terminator} ${radius} 0 0 ${terminatorSweep} 0 ${-radius} Z`;
}
