import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeWav, encodeWav } from "../src/wav.ts";

describe("a WAVE file", () => {
  it("has the header that players expect", () => {
    const file = Buffer.from(encodeWav({ sampleRate: 22_050, samples: Int16Array.of(1, -2, 3) }));
    expect(file.toString("latin1", 0, 4)).toBe("RIFF");
    expect(file.readUInt32LE(4)).toBe(file.length - 8);
    expect(file.toString("latin1", 8, 16)).toBe("WAVEfmt ");
    expect([20, 22, 32, 34].map((offset) => file.readUInt16LE(offset))).toEqual([1, 1, 2, 16]);
    expect([24, 28, 40].map((offset) => file.readUInt32LE(offset))).toEqual([22_050, 44_100, 6]);
    expect(file.length).toBe(44 + 6);
  });

  it("gives back the samples that were written", () => {
    fc.assert(
      fc.property(fc.int16Array(), (samples) => {
        expect(decodeWav(encodeWav({ sampleRate: 8_000, samples }))).toEqual({ sampleRate: 8_000, samples });
      }),
    );
  });

  it("may carry other chunks before its sound", () => {
    const plain = encodeWav({ sampleRate: 8_000, samples: Int16Array.of(5, 6) });
    const list = new Uint8Array([...new TextEncoder().encode("LIST"), 3, 0, 0, 0, 1, 2, 3, 0]);
    const file = new Uint8Array([...plain.subarray(0, 36), ...list, ...plain.subarray(36)]);
    expect(decodeWav(file).samples).toEqual(Int16Array.of(5, 6));
  });

  it("is refused when it is cut short, silent of data or something else", () => {
    const file = encodeWav({ sampleRate: 8_000, samples: Int16Array.of(1, 2, 3) });
    expect(() => decodeWav(file.subarray(0, file.length - 1))).toThrow("longer than its file");
    expect(() => decodeWav(file.subarray(0, 36))).toThrow("without sound");
    expect(() => decodeWav(new TextEncoder().encode("not a sound file at all"))).toThrow("not a WAVE file");
    const stereo = file.slice();
    stereo[22] = 2;
    expect(() => decodeWav(stereo)).toThrow("not 16-bit mono PCM");
  });
});
