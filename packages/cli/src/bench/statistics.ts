/** What repetitions of one measurement gave: the middle one, and how far they spread. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** The value below which the share `p` (0 to 1) of the values lies, interpolated. Throws on no values. */
export function percentile(values: number[], p: number): number {
  if (values.length === 0) throw new RangeError("no values to take a percentile of");
  const sorted = values.toSorted((a, b) => a - b);
  const place = p * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}

/** The middle value. Throws on no values. */
export const median = (values: number[]): number => percentile(values, 0.5);

/** Median with the least and the greatest value. Throws on no values. */
export const spread = (values: number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** Jain's fairness index of what each got: 1 when all got the same, 1/n when one got everything. */
export function jain(shares: number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  if (squares === 0) throw new RangeError("nobody got anything");
  return (sum * sum) / (shares.length * squares);
}

/** Three significant digits: more would pretend precision. */
export const rounded = (value: number): number => (value === 0 ? 0 : Number(value.toPrecision(3)));
