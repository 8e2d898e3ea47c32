/**
 * Loudness of a recording over its length.
 *
 * @param samples one channel, -1 to 1
 * @param count how many values to give
 * @returns peaks from 0 to 1, the loudest being 1
 */
export function peaks(samples: Float32Array, count: number): number[] {
  const found: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = Math.floor((index * samples.length) / count);
    const end = Math.floor(((index + 1) * samples.length) / count);
    let peak = 0;
    for (let at = start; at < end; at++) peak = Math.max(peak, Math.abs(samples[at] ?? 0));
    found.push(peak);
  }
  const loudest = Math.max(...found);
  return loudest === 0 ? found : found.map((peak) => peak / loudest);
}

/** SVG path of upright bars, one a peak, in a drawing `peaks.length` wide and 2 high around its middle. */
export function waveformPath(values: readonly number[]): string {
  return values
    .map((peak, index) => {
      const half = Math.max(0.04, peak * 0.94).toFixed(3);
      return `M${index + 0.5} ${1 - Number(half)}V${1 + Number(half)}`;
    })
    .join("");
}
