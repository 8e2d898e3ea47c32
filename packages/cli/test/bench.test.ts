import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge, type Measured } from "../src/bench/budgets.ts";
import { cells } from "../src/bench/cells.ts";
import { userId } from "../src/bench/payload.ts";
import { printSheet } from "../src/bench/print-sheet.ts";
import { jain, percentile, spread } from "../src/bench/statistics.ts";
import { number, table } from "../src/bench/table.ts";

// + 0 makes -0 a 0: Math.min and sorting differ in which of the two comes first.
const values = fc.array(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value + 0),
  { minLength: 1 },
);

describe("the statistics of a run", () => {
  it("interpolate percentiles between neighbours", () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(percentile([10], 0.95)).toBe(10);
    expect(percentile([0, 10], 0.95)).toBeCloseTo(9.5);
  });

  it("never leave the range of the values, and grow with the share asked for", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, p) => {
        const at = percentile(list, p);
        expect(at).toBeGreaterThanOrEqual(percentile(list, 0));
        expect(at).toBeLessThanOrEqual(percentile(list, 1));
        expect(percentile(list, 0)).toBe(Math.min(...list));
        expect(percentile(list, 1)).toBe(Math.max(...list));
      }),
    );
  });

  it("do not reorder what they are given", () => {
    const list = [3, 1, 2];
    expect(spread(list)).toEqual({ median: 2, min: 1, max: 3 });
    expect(list).toEqual([3, 1, 2]);
  });

  it("refuse to make a figure of nothing", () => {
    expect(() => percentile([], 0.5)).toThrow(RangeError);
    expect(() => jain([0, 0])).toThrow(RangeError);
  });

  it("call equal shares fair and a single winner unfair", () => {
    expect(jain([5, 5, 5, 5])).toBe(1);
    expect(jain([8, 0, 0, 0])).toBe(0.25);
  });
});

describe("the table for people", () => {
  it("aligns words left and numbers right", () => {
    expect(
      table([
        ["what", "ms"],
        ["submit", "1.5"],
        ["claim", "12"],
      ]),
    ).toEqual(["what     ms", "──────  ───", "submit  1.5", "claim    12"]);
  });

  it("shows three digits that mean something, and a dash for nothing", () => {
    expect([0, 0.123456, 1234567, null, undefined].map(number)).toEqual([
      "0",
      "0.123",
      "1,230,000",
      "–",
      "–",
    ]);
  });
});

/** A run in which every ratio is `ratio` and everything else is cheap. */
function measured(ratio: number): Measured {
  const same = { median: ratio, min: ratio, max: ratio };
  const features = { submitMany: true, reportMany: true };
  const growth = (finished: number, median: number) => ({
    operation: "claim",
    finished,
    deferred: 0,
    ms: same,
    ratio: { median, min: median, max: median },
  });
  return {
    quick: true,
    at: "2026-01-01T00:00:00.000Z",
    seconds: 1,
    machine: { cpus: 2, node: "v20", postgres: "17" },
    features,
    cells: cells(features, 1).map(({ name, clients, batch }) => ({
      name,
      clients,
      ...(batch === undefined ? {} : { batch }),
      engine: same,
      floor: same,
      ratio: same,
    })),
    growth: [growth(0, 1), growth(1000, 1.5), growth(2000, 1.2)],
    footprint: {
      walBytesPerLifecycle: 5000,
      bytesPerFinishedJob: 1801,
      bytesByTable: { "podbase.jobs": 500 },
      bytesBeforeVacuum: 3000,
      realtimeBytesPerJob: 900,
      idleTickMs: 1,
    },
    fairness: { backlog: 10, batch: 5, servedByBatch: 1, jain: 1, users: 2 },
    databaseCalls: ["submit_job", "record_submissions", "record_report"],
    endToEnd: null,
    bundle: { bytes: 2, gzipBytes: 1 },
    profile: null,
  };
}

describe("the budgets", () => {
  const verdicts = (ratio: number) =>
    Object.fromEntries(judge(measured(ratio)).map((budget) => [budget.what, budget.met]));

  it("find the cell of each ratio, and are met at the limit", () => {
    expect(verdicts(0.65)).toMatchObject({
      "submit, 16 clients": true,
      "claim → complete one by one, 8 consumers": true,
      "claim → complete by 100, 8 consumers": true,
      "lifecycle one by one, 8 clients": true,
      "bulk in, single webhooks, 8 clients": true,
      "write-ahead log a lifecycle": true,
    });
    expect(verdicts(0.34)).toMatchObject({
      "submit, 16 clients": false,
      "claim → complete by 100, 8 consumers": false,
    });
  });

  it("take the worst size of a growing table", () => {
    expect(judge(measured(1)).find((budget) => budget.what === "claim in full tables")).toMatchObject({
      figure: 1.5,
      met: false,
    });
  });

  it("leave open what a run did not measure", () => {
    expect(verdicts(1)).toMatchObject({
      "kept a finished job": false,
      "request-job, own time p50": null,
      "claim polls in full tables": null,
    });
  });

  it("all appear in the sheet for people, with their verdict", () => {
    const sheet = measured(0.5);
    const lines = printSheet({ ...sheet, budgets: judge(sheet) });
    expect(lines.find((line) => line.startsWith("submit, 16 clients"))).toMatch(
      /0\.5 +at least +0\.65 × floor +missed/,
    );
    expect(lines.find((line) => line.startsWith("request-job"))).toMatch(/– +at most +30 ms +–/);
  });
});

it("Seeded users go round and have ids of Postgres's form", () => {
  expect(userId(255)).toBe("00000000-0000-4000-8000-0000000000ff");
  expect(userId(1001)).toBe(userId(1));
});
