/**
 * Loudness (root mean square) of a recording over its length.
 *
 * @param samples one channel, -1 to 1
 * @param count how many values to give
 * @returns values from 0 to 1, the loudest being 1
 */
export function loudness(samples: Float32Array, count: number): number[] {
  const found: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = Math.floor((index * samples.length) / count);
    const end = Math.floor(((index + 1) * samples.length) / count);
    let sum = 0;
    for (let at = start; at < end; at++) sum += (samples[at] ?? 0) ** 2;
    found.push(end > start ? Math.sqrt(sum / (end - start)) : 0);
  }
  const loudest = Math.max(...found);
  return loudest === 0 ? found : found.map((value) => value / loudest);
}

/** SVG path of upright bars, one a value, in a drawing `values.length` wide and 2 high around its middle. */
export function waveformPath(values: readonly number[]): string {
  return values
    .map((value, index) => {
      const half = Math.max(0.04, value * 0.94).toFixed(3);
      return `M${index + 0.5} ${1 - Number(half)}V${1 + Number(half)}`;
    })
    .join("");
}

/** The waveform of a sound that is not known (yet). */
export function silence(count: number): string {
  return waveformPath(Array.from({ length: count }, () => 0));
}
