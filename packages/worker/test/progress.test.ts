import { describe, expect, it } from "vitest";
import { createProgressReporter, StoppedError } from "../src/progress.ts";

describe("the progress reporter", () => {
  const setUp = (callTime: number, proceed = true) => {
    const clock = { now: 0 };
    const sent: { seq: number; at: number; progress: number }[] = [];
    const progress = async (report: { seq: number; progress: number }) => {
      sent.push({ ...report, at: clock.now });
      clock.now += callTime;
      return proceed;
    };
    return { clock, sent, reporter: createProgressReporter({ progress }, () => clock.now) };
  };

  it("leaves 300 ms between two reports", async () => {
    const { clock, sent, reporter } = setUp(0);
    for (; clock.now < 1_000; clock.now += 50) await reporter.report(clock.now / 1_000);
    expect(sent.map((report) => report.at)).toEqual([0, 300, 600, 900]);
    await reporter.flush();
    expect(sent.at(-1)).toMatchObject({ seq: 5, progress: 0.95 });
  });

  it("takes no more than a tenth of the time when calls are slow", async () => {
    const { clock, sent, reporter } = setUp(200);
    for (; clock.now < 5_000; clock.now += 50) await reporter.report(0.5);
    expect(sent.map((report) => report.at)).toEqual([0, 2_200, 4_400]);
  });

  it("sends nothing more when the newest report has gone out", async () => {
    const { sent, reporter } = setUp(0);
    await reporter.report(1);
    await reporter.flush();
    expect(sent).toHaveLength(1);
  });

  it("throws when the attempt is to stop, but not from the last report", async () => {
    const { reporter } = setUp(0, false);
    await expect(reporter.report(0.1)).rejects.toThrow(StoppedError);
    await reporter.report(0.2);
    await reporter.flush();
  });
});
