/** Where the moon stands. */
export interface MoonPhase {
  /** Share of the disc that is lit, 0 (new) to 1 (full). */
  lit: number;
  waxing: boolean;
  name: string;
}

const day = 86_400_000;
/** Mean length of a lunation in days, and a new moon to count from (Meeus, Astronomical Algorithms, ch. 49). */
const synodicMonth = 29.530588861;
const newMoon = Date.UTC(2000, 0, 6, 18, 14);

/** The mean moon at a time, true to within about half a day: good enough for a drawing. */
export function moonPhase(at: Date): MoonPhase {
  const age = ((((at.getTime() - newMoon) / day / synodicMonth) % 1) + 1) % 1;
  const lit = (1 - Math.cos(2 * Math.PI * age)) / 2;
  const waxing = age < 0.5;
  if (lit < 0.03) return { lit, waxing, name: "new moon" };
  if (lit > 0.97) return { lit, waxing, name: "full moon" };
  const growth = waxing ? "waxing" : "waning";
  if (Math.abs(lit - 0.5) < 0.08) return { lit, waxing, name: waxing ? "first quarter" : "last quarter" };
  return { lit, waxing, name: `${growth} ${lit < 0.5 ? "crescent" : "gibbous"}` };
}

/**
 * SVG path of the lit part of a moon around 0,0.
 *
 * @param lit 0 to 1
 * @param radius in the units of the drawing
 */
export function litPath(lit: number, waxing: boolean, radius: number): string {
  const share = Math.min(1, Math.max(0, lit));
  const bulge = (Math.abs(1 - 2 * share) * radius).toFixed(3);
  const limb = waxing ? 1 : 0;
  const terminator = share > 0.5 ? limb : 1 - limb;
  return `M0 ${-radius}A${radius} ${radius} 0 0 ${limb} 0 ${radius}A${bulge} ${radius} 0 0 ${terminator} 0 ${-radius}Z`;
}
