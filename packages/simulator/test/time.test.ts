import { describe, expect, test } from "vitest";
import { realClock, virtualClock } from "../src/index.ts";
import { TimerQueue } from "../src/time/timer-queue.ts";

describe("the timer queue", () => {
  test("gives calls by time, and by order of adding at the same time", () => {
    const queue = new TimerQueue();
    const ran: number[] = [];
    const times = Array.from({ length: 500 }, (_, n) => (n * 7919) % 101);
    for (const [n, at] of times.entries()) queue.add(at, () => ran.push(n));
    while (queue.nextAt() !== undefined) queue.take()?.();
    const expected = [...times.keys()].sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
    expect(ran).toEqual(expected);
  });

  test("leaves out what was cancelled, also in great number", () => {
    const queue = new TimerQueue();
    const ran: number[] = [];
    const timers = Array.from({ length: 5000 }, (_, n) => queue.add(5000 - n, () => ran.push(n)));
    for (const [n, timer] of timers.entries()) if (n % 1000 !== 0) timer.cancel();
    timers[1]?.cancel();
    while (queue.nextAt() !== undefined) queue.take()?.();
    expect(ran).toEqual([4000, 3000, 2000, 1000, 0]);
    expect(queue.take()).toBeUndefined();
  });
});

describe("the virtual clock", () => {
  test("runs each call at its own time, calls that calls ask for too", async () => {
    const clock = virtualClock();
    const seen: number[] = [];
    clock.after(10, () => {
      seen.push(clock.now());
      clock.after(5, () => seen.push(clock.now()));
    });
    clock.after(12, () => seen.push(clock.now()));
    await clock.advance(14);
    expect(seen).toEqual([10, 12]);
    await clock.advance(1);
    expect(seen).toEqual([10, 12, 15]);
    expect(clock.now()).toBe(15);
  });

  test("stands still while work goes on outside, and hands over ends in order of beginning", async () => {
    const clock = virtualClock();
    const seen: string[] = [];
    const takes = (realMs: number) => new Promise((resolve) => setTimeout(resolve, realMs));
    clock.after(10, () => {
      clock.outside(takes(20), () => seen.push(`slow ${clock.now()}`));
      clock.outside(takes(1), () => seen.push(`fast ${clock.now()}`));
    });
    clock.after(11, () => seen.push(`timer ${clock.now()}`));
    await clock.advance(100);
    expect(seen).toEqual(["slow 10", "fast 10", "timer 11"]);
  });

  test("goes on without work that never ends", async () => {
    const clock = virtualClock({ patienceMs: 5 });
    clock.outside(new Promise(() => {}), () => expect.unreachable());
    await clock.advance(10);
    expect(clock.now()).toBe(10);
  });

  test("does one advance after the other", async () => {
    const clock = virtualClock({ startMs: 1000 });
    await Promise.all([clock.advance(10), clock.advance(20)]);
    expect(clock.now()).toBe(1030);
    expect(() => clock.advance(-1)).toThrow("time moves forward only");
  });

  test("hands an error in a call to whoever advances, and goes on after", async () => {
    const clock = virtualClock();
    clock.after(5, () => {
      throw new Error("oops");
    });
    await expect(clock.advance(10)).rejects.toThrow("oops");
    await clock.advance(10);
    expect(clock.now()).toBe(15);
  });
});

describe("the real clock", () => {
  test("runs calls in order, as much faster as asked", async () => {
    const clock = realClock(1000);
    const start = clock.now();
    const seen: string[] = [];
    const cancelled = clock.after(1, () => seen.push("cancelled"));
    cancelled.cancel();
    await new Promise<void>((resolve) => {
      clock.after(60_000, () => {
        seen.push("late");
        resolve();
      });
      clock.after(100, () => seen.push("early"));
    });
    expect(seen).toEqual(["early", "late"]);
    expect(clock.now() - start).toBeGreaterThanOrEqual(60_000);
  });

  test("cannot stand still or run backwards", () => {
    expect(() => realClock(0)).toThrow("speed must be above 0");
  });
});
