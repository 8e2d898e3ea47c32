import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { birthFacts } from "../src/reading/birth-facts.ts";
import {
  ageOn,
  dateOf,
  dayNumber,
  daysBetween,
  formatIso,
  formatLong,
  fromDayNumber,
  nextBirthday,
  nextLeapDay,
  parseDate,
  weekdayOf,
} from "../src/reading/calendar.ts";

describe("the calendar", () => {
  it.each([
    ["0001-01-01", "Monday"],
    ["1600-02-29", "Tuesday"],
    ["1815-12-10", "Sunday"],
    ["1879-03-14", "Friday"],
    ["1900-02-28", "Wednesday"],
    ["1900-03-01", "Thursday"],
    ["1969-07-20", "Sunday"],
    ["1999-12-31", "Friday"],
    ["2000-01-01", "Saturday"],
    ["2000-02-29", "Tuesday"],
    ["2024-02-29", "Thursday"],
  ])("knows that %s was a %s", (iso, weekday) => {
    expect(weekdayOf(parseDate(iso))).toBe(weekday);
  });

  it.each([
    ["1900-02-28", "1900-03-01", 1],
    ["2000-02-28", "2000-03-01", 2],
    ["1999-12-31", "2000-01-01", 1],
    ["1815-12-10", "1815-12-10", 0],
    ["1969-07-20", "2026-11-22", 20_944],
    ["1815-12-10", "1852-11-27", 13_502],
  ])("counts the days from %s to %s", (from, to, days) => {
    expect(daysBetween(parseDate(from), parseDate(to))).toBe(days);
  });

  it.each([
    "1900-02-29",
    "2023-02-29",
    "2024-04-31",
    "2024-13-01",
    "2024-00-10",
    "0000-01-01",
    "24-1-1",
    "soon",
  ])("refuses %s, which is no day", (iso) => {
    expect(() => parseDate(iso)).toThrow(/is not a day of the calendar/);
  });

  it("gives back every day that it numbers", () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_162, max: 2_932_896 }), (days) => {
        const date = fromDayNumber(days);
        expect(dayNumber(date)).toBe(days);
        expect(parseDate(formatIso(date))).toEqual(date);
      }),
    );
  });

  it("takes the day of a moment in UTC, also before 1970", () => {
    expect(dateOf(new Date("2026-11-22T23:59:59.999Z"))).toEqual({ year: 2026, month: 11, day: 22 });
    expect(dateOf(new Date("1969-12-31T23:59:59.999Z"))).toEqual({ year: 1969, month: 12, day: 31 });
  });

  it("writes days for people", () => {
    expect(formatLong(parseDate("1996-02-29"))).toBe("29 February 1996");
  });
});

describe("age and birthdays", () => {
  const age = (birth: string, today: string) => ageOn(parseDate(today), parseDate(birth));
  const next = (birth: string, today: string) => {
    const { date, days, age: turning } = nextBirthday(parseDate(today), parseDate(birth));
    return [formatIso(date), days, turning];
  };

  it("turns on the birthday and not the day before", () => {
    expect(age("1990-11-22", "2026-11-21")).toBe(35);
    expect(age("1990-11-22", "2026-11-22")).toBe(36);
  });

  it("turns on 1 March of a common year for who was born on a leap day", () => {
    expect(age("1996-02-29", "2027-02-28")).toBe(30);
    expect(age("1996-02-29", "2027-03-01")).toBe(31);
    expect(age("1996-02-29", "2028-02-28")).toBe(31);
    expect(age("1996-02-29", "2028-02-29")).toBe(32);
  });

  it("finds the next birthday across the turn of the year, on the day itself and for leap days", () => {
    expect(next("1990-01-02", "2026-12-31")).toEqual(["2027-01-02", 2, 37]);
    expect(next("1990-12-31", "2026-12-31")).toEqual(["2026-12-31", 0, 36]);
    expect(next("1996-02-29", "2026-11-22")).toEqual(["2027-03-01", 99, 31]);
    expect(next("1996-02-29", "2027-03-02")).toEqual(["2028-02-29", 364, 32]);
  });

  it("finds the next leap day, also over a century that has none", () => {
    expect(formatIso(nextLeapDay(parseDate("2024-02-28")))).toBe("2024-02-29");
    expect(formatIso(nextLeapDay(parseDate("2024-02-29")))).toBe("2028-02-29");
    expect(formatIso(nextLeapDay(parseDate("2096-03-01")))).toBe("2104-02-29");
  });

  it("never has a birthday further away than a leap year's length", () => {
    const day = fc.integer({ min: -300_000, max: 100_000 }).map(fromDayNumber);
    fc.assert(
      fc.property(day, day, (birth, today) => {
        fc.pre(daysBetween(birth, today) >= 0);
        const { days, date, age: turning } = nextBirthday(today, birth);
        expect(days).toBeGreaterThanOrEqual(0);
        expect(days).toBeLessThanOrEqual(366);
        expect(daysBetween(today, date)).toBe(days);
        expect(turning).toBe(ageOn(today, birth) + (days === 0 ? 0 : 1));
      }),
    );
  });
});

describe("the facts of a birth", () => {
  const facts = (birth: string, today: string) => birthFacts(birth, parseDate(today));

  it("tells the days lived and the next round thousand of them", () => {
    const { daysLived, milestone, leapDay } = facts("1996-02-29", "2026-11-22");
    expect(daysLived).toBe(11_224);
    expect(milestone).toEqual({ days: 12_000, date: parseDate("2029-01-06") });
    expect(leapDay).toEqual(parseDate("2028-02-29"));
  });

  it("starts at nought on the day of birth", () => {
    expect(facts("2026-11-22", "2026-11-22")).toMatchObject({
      age: 0,
      daysLived: 0,
      next: { days: 0, age: 0 },
    });
  });

  it("refuses a birth in the future and says so", () => {
    expect(() => facts("2026-11-23", "2026-11-22")).toThrow(
      "invalid input: birthDate 2026-11-23 lies in the future (today is 2026-11-22)",
    );
  });

  it.each([
    ["1996-02-29", 2],
    ["1988-11-29", 3],
    ["1992-11-22", 9],
    ["1901-11-11", 33],
    ["1980-01-01", 11],
    ["1969-07-20", 7],
  ])("reduces %s to the life path %i", (birth, number) => {
    expect(facts(birth, "2026-11-22").lifePath).toBe(number);
  });
});
