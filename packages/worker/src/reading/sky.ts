/** Sun sign, moon and lunar year of a day. The hour of birth is not known, so all are taken at noon UTC. */
import { type CalendarDate, dayNumber, formatIso, fromDayNumber } from "./calendar.ts";

/** The western signs with the day on which each begins, by the customary dates (the sun's entry varies by a day). */
const SIGNS = [
  { sign: "Capricorn", month: 1, day: 1 },
  { sign: "Aquarius", month: 1, day: 20 },
  { sign: "Pisces", month: 2, day: 19 },
  { sign: "Aries", month: 3, day: 21 },
  { sign: "Taurus", month: 4, day: 20 },
  { sign: "Gemini", month: 5, day: 21 },
  { sign: "Cancer", month: 6, day: 21 },
  { sign: "Leo", month: 7, day: 23 },
  { sign: "Virgo", month: 8, day: 23 },
  { sign: "Libra", month: 9, day: 23 },
  { sign: "Scorpio", month: 10, day: 23 },
  { sign: "Sagittarius", month: 11, day: 22 },
  { sign: "Capricorn", month: 12, day: 22 },
] as const;
/** A western sign of the zodiac. */
export type SunSign = (typeof SIGNS)[number]["sign"];

/** The western sign under which the sun stands. */
export function sunSign(date: CalendarDate): SunSign {
  return SIGNS.findLast((s) => s.month < date.month || (s.month === date.month && s.day <= date.day))
    ?.sign as SunSign;
}

/** The eight named phases, from one new moon to the next. */
const MOON_PHASES = [
  "new moon",
  "waxing crescent",
  "first quarter",
  "waxing gibbous",
  "full moon",
  "waning gibbous",
  "last quarter",
  "waning crescent",
] as const;
/** A named phase of the moon. */
export type MoonPhase = (typeof MOON_PHASES)[number];

/** `elongation`: degrees from the sun, 0 new, 90 first quarter, 180 full. `illuminated`: 0 to 1 of the disc. `age`: days since new moon. */
export type Moon = { phase: MoonPhase; elongation: number; illuminated: number; age: number };

/** Mean synodic month in days (J. Meeus, Astronomical Algorithms, 2nd ed., chapter 49). */
const SYNODIC_MONTH = 29.530588861;
/** The moon moves about 12.2 degrees a day from the sun: a principal phase within half a day gives the day its name. */
const HALF_A_DAY = 6.1;
/** Julian day number of 1970-01-01 at noon UTC. */
const JULIAN_DAY_1970 = 2440588;

/**
 * The moon at noon UTC by J. Meeus, Astronomical Algorithms, 2nd ed.: mean elongation and anomalies from chapter 47,
 * phase angle from formula 48.4. Good to well under a degree, about an hour of the moon's way, for some centuries
 * around 2000.
 */
export function moonOn(date: CalendarDate): Moon {
  const t = (dayNumber(date) + JULIAN_DAY_1970 - 2451545) / 36525;
  const meanElongation = 297.8501921 + 445267.1114034 * t - 0.0018819 * t * t;
  const sunAnomaly = 357.5291092 + 35999.0502909 * t - 0.0001536 * t * t;
  const moonAnomaly = 134.9633964 + 477198.8675055 * t + 0.0087414 * t * t;
  const sin = (degrees: number) => Math.sin((degrees * Math.PI) / 180);
  const elongation = normalized(
    meanElongation +
      6.289 * sin(moonAnomaly) -
      2.1 * sin(sunAnomaly) +
      1.274 * sin(2 * meanElongation - moonAnomaly) +
      0.658 * sin(2 * meanElongation) +
      0.214 * sin(2 * moonAnomaly) +
      0.11 * sin(meanElongation),
  );
  return {
    phase: phaseAt(elongation),
    elongation,
    illuminated: (1 - Math.cos((elongation * Math.PI) / 180)) / 2,
    age: (elongation / 360) * SYNODIC_MONTH,
  };
}

function phaseAt(elongation: number): MoonPhase {
  const quarter = Math.round(elongation / 90);
  if (Math.abs(elongation - quarter * 90) <= HALF_A_DAY) return MOON_PHASES[(quarter % 4) * 2] as MoonPhase;
  return MOON_PHASES[Math.floor(elongation / 90) * 2 + 1] as MoonPhase;
}

function normalized(degrees: number): number {
  return ((degrees % 360) + 360) % 360;
}

/** The twelve animals in their order; a year divisible by 12 is a monkey's. */
const ANIMALS = [
  "Monkey",
  "Rooster",
  "Dog",
  "Pig",
  "Rat",
  "Ox",
  "Tiger",
  "Rabbit",
  "Dragon",
  "Snake",
  "Horse",
  "Goat",
] as const;
/** An animal of the Chinese calendar. */
export type Animal = (typeof ANIMALS)[number];

/** The five elements in their order, each for two years. */
const ELEMENTS = ["Metal", "Water", "Wood", "Fire", "Earth"] as const;
/** An element of the Chinese calendar. */
export type Element = (typeof ELEMENTS)[number];

/**
 * `year`: the Gregorian year in which the lunar one began. `turning`: the animal on the other side of the lunar new
 * year, if that lies within a day.
 */
export type LunarYear = { year: number; animal: Animal; element: Element; turning: Animal | null };

const chineseCalendar = new Intl.DateTimeFormat("en-u-ca-chinese", { year: "numeric", timeZone: "UTC" });

/**
 * New Year's days on which ICU, whose new moons are some minutes off, still counts the old year, since the new moon
 * comes shortly before midnight in China. By the conversion tables of the Hong Kong Observatory for 1901 to 2100.
 */
const NEW_YEARS_THAT_ICU_MISSES = new Set(["1954-02-03", "2027-02-06", "2030-02-03"]);

/**
 * The year of the Chinese calendar, which begins at a new moon between 21 January and 20 February, not on 1 January.
 * The calendar is ICU's, computed from the new moons. Births abroad may count by another clock, hence `turning`.
 */
export function lunarYearOf(date: CalendarDate): LunarYear {
  const year = relatedYear(date);
  const before = relatedYear(fromDayNumber(dayNumber(date) - 1));
  const after = relatedYear(fromDayNumber(dayNumber(date) + 1));
  const other = [before, after].find((neighbour) => neighbour !== year);
  return {
    year,
    animal: animalOf(year),
    element: ELEMENTS[Math.floor((year % 10) / 2)] as Element,
    turning: other === undefined ? null : animalOf(other),
  };
}

function relatedYear(date: CalendarDate): number {
  const missed = NEW_YEARS_THAT_ICU_MISSES.has(formatIso(date)) ? 1 : 0;
  const noon = new Date((dayNumber(date) + missed + 0.5) * 86_400_000);
  // the type of TypeScript's library does not know the part that ICU gives for this calendar
  const part = chineseCalendar.formatToParts(noon).find((p) => (p.type as string) === "relatedYear");
  return Number(part?.value);
}

function animalOf(year: number): Animal {
  return ANIMALS[year % 12] as Animal;
}
