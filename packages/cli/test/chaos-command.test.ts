import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import type { Arena } from "../src/chaos/arena.ts";
import { type Certificate, inShort } from "../src/chaos/certificate.ts";
import { FAULT_NAMES } from "../src/chaos/faults.ts";
import { scheduleOf } from "../src/chaos/schedule.ts";
import { startStorm } from "../src/chaos/storm.ts";

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

/** A stack whose functions have answered nothing until `serves` is set. */
function sluggishStack(serves = false) {
  const stack = {
    serves,
    kills: [] as string[],
    functions: {
      kill: async (name: string) => {
        if (stack.serves) stack.kills.push(name);
        return stack.serves;
      },
    },
  };
  return { stack, arena: { stack } as unknown as Arena };
}

describe("a storm", () => {
  const hits = [0, 1, 2, 3].map((atMs) => ({ fault: "functions-killed" as const, atMs, forMs: 0 }));

  it("kills a function once it serves, and not again for every hit that came while it started", async () => {
    const { stack, arena } = sluggishStack();
    const storm = startStorm(arena, hits, "1");
    await delay(50);
    stack.serves = true;
    await vi.waitFor(() => expect(stack.kills).toHaveLength(1), { timeout: 10_000 });
    await storm.calm();
    expect(stack.kills).toHaveLength(1);
    expect(storm.counts).toEqual({ "functions-killed": 1 });
  });

  it("is over when it is to be, though there was nothing to strike, and counts no strike", async () => {
    const { stack, arena } = sluggishStack();
    const storm = startStorm(arena, hits, "1");
    await delay(20);
    await storm.calm();
    expect(stack.kills).toEqual([]);
    expect(storm.counts).toEqual({});
  });
});

describe("podbase chaos", () => {
  it("prints nothing but the figures as JSON", () => {
    const figures = {
      jobs: 2,
      completed: 1,
      failed: 1,
      lost: 0,
      duplicateEffects: 0,
      paidTwice: 0,
      maxStalenessS: 0.1,
      guaranteeHeld: true,
      faults: { "webhooks-lost": 3 },
    };
    const certificate = { ...figures, seed: "1", findings: [], failures: { lost: 1 } };
    expect(inShort(certificate as unknown as Certificate)).toEqual(figures);
  });

  it("never ends without a word, and then with 1, not even when nothing is left to wait for", async () => {
    const program = fileURLToPath(new URL("programs/wait-for-nothing.ts", import.meta.url));
    const script = `import("tsx/esm/api").then(({ register }) => { register(); return import(${JSON.stringify(program)}); })`;
    await expect(promisify(execFile)(process.execPath, ["-e", script])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ends before its time/),
    });
  });

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
