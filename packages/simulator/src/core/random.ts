import { createHash } from "node:crypto";

/** A fixed number, or a range from which a seeded one is drawn each time. Milliseconds wherever it is a time. */
export type Span = number | readonly [from: number, to: number];

/** Seeded chance. */
export interface Random {
  /** 0 up to, not including, 1. */
  next(): number;
  /** A whole number in the span, both ends included. */
  within(span: Span): number;
  /** `length` hex digits. */
  hex(length: number): string;
  /** A version 4 UUID. */
  uuid(): string;
  /** `length` lower-case letters and digits, as in RunPod's worker ids. */
  name(length: number): string;
  /** Another stream: what is drawn from it doesn't depend on what is drawn here. */
  stream(name: string): Random;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** The generator sfc32, started from the seed's hash. Not for secrets. */
export const createRandom = (seed: string): Random => {
  const hash = createHash("sha256").update(seed).digest();
  let [a, b, c, counter] = [hash.readInt32LE(0), hash.readInt32LE(4), hash.readInt32LE(8), 1];

  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 2 ** 32;
  };
  const pick = (from: string, length: number) =>
    Array.from({ length }, () => from[Math.floor(next() * from.length)]).join("");
  const hex = (length: number) => {
    let digits = "";
    while (digits.length < length)
      digits += Math.floor(next() * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
    return digits.slice(0, length);
  };

  for (let round = 0; round < 12; round++) next();
  return {
    next,
    within(span) {
      if (typeof span === "number") return span;
      const [from, to] = span;
      return from + Math.floor(next() * (to - from + 1));
    },
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${pick("89ab", 1)}${hex(3)}-${hex(12)}`,
    name: (length) => pick(LETTERS, length),
    stream: (name) => createRandom(`${seed}/${name}`),
  };
};
