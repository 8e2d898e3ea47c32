import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { FAULT_NAMES } from "../src/chaos/faults.ts";
import { scheduleOf } from "../src/chaos/schedule.ts";

const PODBASE = fileURLToPath(new URL("../bin/podbase.js", import.meta.url));
const podbase = (...args: string[]) => promisify(execFile)(process.execPath, [PODBASE, ...args]);

describe("the schedule of faults", () => {
  it("is the same for the same seed and another for another", () => {
    expect(scheduleOf("1", 60_000)).toEqual(scheduleOf("1", 60_000));
    expect(scheduleOf("1", 60_000)).not.toEqual(scheduleOf("2", 60_000));
  });

  it("has every class of faults, even in a short run", () => {
    for (const seed of ["1", "2", "3"]) {
      const struck = new Set(scheduleOf(seed, 10_000).map(({ fault }) => fault));
      expect([...struck].sort()).toEqual([...FAULT_NAMES].sort());
    }
  });

  it.each(FAULT_NAMES)("has %s alone when asked to", (name) => {
    const hits = scheduleOf("1", 10_000, name);
    expect(new Set(hits.map(({ fault }) => fault))).toEqual(new Set([name]));
  });
});

describe("podbase chaos", () => {
  it("lists its classes of faults", async () => {
    const { stdout } = await podbase("chaos", "--help");
    for (const name of FAULT_NAMES) expect(stdout).toContain(`  ${name} `);
  });

  it.each([
    ["an unknown class of faults", ["--fault", "gremlins"], /webhooks-lost/],
    ["no jobs", ["--jobs", "0"], /whole number/],
    ["an unknown option", ["--gremlins"], /unknown option/],
  ])("ends with 2 for %s, and says what is right", async (_, args, words) => {
    await expect(podbase("chaos", ...args)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(words),
    });
  });
});
