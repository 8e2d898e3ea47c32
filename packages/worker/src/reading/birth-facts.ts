import {
  ageOn,
  type CalendarDate,
  dayNumber,
  daysBetween,
  formatIso,
  fromDayNumber,
  nextBirthday,
  nextLeapDay,
  parseDate,
  type Weekday,
  weekdayOf,
} from "./calendar.ts";
import { type LunarYear, lunarYearOf, type Moon, moonOn, type SunSign, sunSign } from "./sky.ts";

/** What can be computed from a date of birth on a given day. */
export type BirthFacts = {
  birth: CalendarDate;
  today: CalendarDate;
  weekday: Weekday;
  /** Completed years on `today`. */
  age: number;
  /** Days from birth to `today`; 0 on the day itself. */
  daysLived: number;
  /** The next round thousand of days lived, and when. */
  milestone: { days: number; date: CalendarDate };
  next: { date: CalendarDate; days: number; age: number };
  /** For births on 29 February: the next one after `today`. */
  leapDay: CalendarDate | null;
  sign: SunSign;
  moon: Moon;
  lunarYear: LunarYear;
  lifePath: LifePath;
};

/** 1 to 9, or one of the numbers that are not reduced further. */
export type LifePath = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 11 | 22 | 33;

/** Computes the facts for "YYYY-MM-DD". Throws a RangeError for an impossible date or one after `today`. */
export function birthFacts(birthDate: string, today: CalendarDate): BirthFacts {
  const birth = parseDate(birthDate);
  const daysLived = daysBetween(birth, today);
  if (daysLived < 0) {
    throw new RangeError(
      `invalid input: birthDate ${birthDate} lies in the future (today is ${formatIso(today)})`,
    );
  }
  const milestoneDays = (Math.floor(daysLived / 1000) + 1) * 1000;
  return {
    birth,
    today,
    weekday: weekdayOf(birth),
    age: ageOn(today, birth),
    daysLived,
    milestone: { days: milestoneDays, date: fromDayNumber(dayNumber(birth) + milestoneDays) },
    next: nextBirthday(today, birth),
    leapDay: birth.month === 2 && birth.day === 29 ? nextLeapDay(today) : null,
    sign: sunSign(birth),
    moon: moonOn(birth),
    lunarYear: lunarYearOf(birth),
    lifePath: lifePathOf(birth),
  };
}

/** The life-path number: day, month and year reduced each by itself, then their sum; 11, 22 and 33 stay as they are. */
function lifePathOf(birth: CalendarDate): LifePath {
  return reduced(reduced(birth.day) + reduced(birth.month) + reduced(birth.year)) as LifePath;
}

function reduced(value: number): number {
  let left = value;
  while (left > 9 && left !== 11 && left !== 22 && left !== 33) {
    left = [...String(left)].reduce((sum, digit) => sum + Number(digit), 0);
  }
  return left;
}
