import { describe, expect, it } from "vitest";
import { parseDate } from "../src/reading/calendar.ts";
import { lunarYearOf, moonOn, sunSign } from "../src/reading/sky.ts";

describe("the sun sign", () => {
  it.each([
    ["1996-01-01", "Capricorn"],
    ["1996-01-19", "Capricorn"],
    ["1996-01-20", "Aquarius"],
    ["1996-02-29", "Pisces"],
    ["1996-03-20", "Pisces"],
    ["1996-03-21", "Aries"],
    ["1996-04-20", "Taurus"],
    ["1996-05-21", "Gemini"],
    ["1996-06-21", "Cancer"],
    ["1996-07-23", "Leo"],
    ["1996-08-23", "Virgo"],
    ["1996-09-23", "Libra"],
    ["1996-10-23", "Scorpio"],
    ["1996-11-22", "Sagittarius"],
    ["1996-12-21", "Sagittarius"],
    ["1996-12-22", "Capricorn"],
    ["1996-12-31", "Capricorn"],
  ])("of %s is %s", (iso, sign) => {
    expect(sunSign(parseDate(iso))).toBe(sign);
  });
});

describe("the moon", () => {
  it.each([
    ["1999-08-11", "new moon", "solar eclipse"],
    ["2017-08-21", "new moon", "solar eclipse"],
    ["1912-04-15", "waning crescent", "the Titanic sank two nights before new moon"],
    ["1969-07-20", "waxing crescent", "the first landing, two days before first quarter"],
    ["1969-07-22", "first quarter", "Astronomical Almanac"],
    ["2018-07-24", "waxing gibbous", "three days before the eclipse"],
    ["2018-07-27", "full moon", "lunar eclipse"],
    ["2018-07-30", "waning gibbous", "three days after the eclipse"],
    ["2024-11-23", "last quarter", "at 01:28 UTC"],
  ])("of %s was a %s (%s)", (iso, phase) => {
    expect(moonOn(parseDate(iso)).phase).toBe(phase);
  });

  it("is at the place in the sky that Meeus computes for 12 April 1992", () => {
    // Astronomical Algorithms, example 48.a: k = 0.6786 at 0h TD; half a day later the moon has waxed by some five hundredths
    const { illuminated, age } = moonOn(parseDate("1992-04-12"));
    expect(illuminated).toBeGreaterThan(0.7);
    expect(illuminated).toBeLessThan(0.75);
    expect(age).toBeGreaterThan(9);
    expect(age).toBeLessThan(10);
  });

  it("goes through all phases in the course of a month", () => {
    const phases = Array.from(
      { length: 31 },
      (_, day) => moonOn({ year: 2026, month: 1, day: day + 1 }).phase,
    );
    expect(new Set(phases).size).toBe(8);
  });
});

describe("the lunar year", () => {
  it.each([
    ["1815-02-08", "Wood", "Dog"],
    ["1815-02-09", "Wood", "Pig"],
    ["1900-01-30", "Earth", "Pig"],
    ["1900-01-31", "Metal", "Rat"],
    ["1954-02-02", "Water", "Snake"],
    ["1954-02-03", "Wood", "Horse"],
    ["1985-02-19", "Wood", "Rat"],
    ["1985-02-20", "Wood", "Ox"],
    ["2000-02-04", "Earth", "Rabbit"],
    ["2000-02-05", "Metal", "Dragon"],
    ["2000-12-31", "Metal", "Dragon"],
    ["2024-02-10", "Wood", "Dragon"],
    ["2027-02-06", "Fire", "Goat"],
  ])("of %s is that of the %s %s", (iso, element, animal) => {
    expect(lunarYearOf(parseDate(iso))).toMatchObject({ element, animal });
  });

  it("names the neighbour only at its turn", () => {
    expect(lunarYearOf(parseDate("2000-02-03")).turning).toBeNull();
    expect(lunarYearOf(parseDate("2000-02-04")).turning).toBe("Dragon");
    expect(lunarYearOf(parseDate("2000-02-05")).turning).toBe("Rabbit");
    expect(lunarYearOf(parseDate("2000-02-06")).turning).toBeNull();
  });
});
