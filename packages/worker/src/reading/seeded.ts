import { createHash } from "node:crypto";

/** Chooses one of a list; the same seed makes the same choices in the same order. */
export type Pick = <T>(choices: readonly T[]) => T;

/** A chooser seeded by texts: xorshift128 (G. Marsaglia, Xorshift RNGs, 2003) over the SHA-256 of their JSON. */
export function seededPick(...seed: string[]): Pick {
  const digest = createHash("sha256").update(JSON.stringify(seed)).digest();
  const state = new Uint32Array([0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset)));
  const next = () => {
    const [x, y, z, w] = state as unknown as [number, number, number, number];
    const t = x ^ (x << 11);
    state.set([y, z, w, w ^ (w >>> 19) ^ t ^ (t >>> 8)]);
    return state[3] as number;
  };
  return (choices) => {
    if (choices.length === 0) throw new RangeError("there is nothing to choose from");
    return choices[Math.floor((next() / 2 ** 32) * choices.length)] as (typeof choices)[number];
  };
}
