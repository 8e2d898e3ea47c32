import { describe, expect, it } from "vitest";
import { loudness, waveformPath } from "../app/artifacts/waveform.ts";
import { litPath, moonPhase } from "../app/moon/almanac.ts";

describe("moonPhase", () => {
  it.each([
    // New and full moons as published by the US Naval Observatory.
    ["2024-01-11T11:57:00Z", "new moon"],
    ["2024-01-25T17:54:00Z", "full moon"],
    ["2025-09-21T19:54:00Z", "new moon"],
    ["2026-03-03T11:38:00Z", "full moon"],
  ])("at %s is a %s", (time, name) => {
    expect(moonPhase(new Date(time)).name).toBe(name);
  });

  it("waxes after the new moon and wanes after the full moon", () => {
    expect(moonPhase(new Date("2024-01-15T00:00:00Z"))).toMatchObject({
      waxing: true,
      name: "waxing crescent",
    });
    expect(moonPhase(new Date("2024-01-29T00:00:00Z"))).toMatchObject({
      waxing: false,
      name: "waning gibbous",
    });
  });
});

describe("litPath", () => {
  it("draws nothing at new moon, the half disc at half, the whole at full", () => {
    expect(litPath(0, true, 10)).toBe("M0 -10A10 10 0 0 1 0 10A10.000 10 0 0 0 0 -10Z");
    expect(litPath(0.5, true, 10)).toContain("A0.000 10");
    expect(litPath(1, true, 10)).toBe("M0 -10A10 10 0 0 1 0 10A10.000 10 0 0 1 0 -10Z");
  });

  it("lights a waning moon from the other side", () => {
    expect(litPath(0.3, false, 10)).toBe("M0 -10A10 10 0 0 0 0 10A4.000 10 0 0 1 0 -10Z");
  });
});

describe("the waveform", () => {
  it("takes the loudness of each part, the loudest of all being 1", () => {
    expect(loudness(new Float32Array([0.5, -0.5, 0.25, -0.25, 0, 0]), 3)).toEqual([1, 0.5, 0]);
  });

  it("draws silence as a thin line", () => {
    expect(loudness(new Float32Array(4), 2)).toEqual([0, 0]);
    expect(waveformPath([0])).toBe("M0.5 0.96V1.04");
  });
});
