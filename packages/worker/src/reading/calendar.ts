/**
 * Calendar arithmetic in the proleptic Gregorian calendar. A day is counted as whole days since 1970-01-01, so
 * that no time zone and no clock takes part.
 */

/** A day of the calendar; `month` is 1 to 12. */
export type CalendarDate = { year: number; month: number; day: number };

/** The days of the week, in the order of `weekdayOf`. */
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
/** An English name of a day of the week. */
export type Weekday = (typeof WEEKDAYS)[number];

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

const MILLISECONDS_A_DAY = 86_400_000;

/** Reads "YYYY-MM-DD". Throws a RangeError for a day that the calendar does not have. */
export function parseDate(iso: string): CalendarDate {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(iso);
  const date = { year: Number(match?.[1]), month: Number(match?.[2]), day: Number(match?.[3]) };
  if (!match || date.year === 0 || formatIso(fromDayNumber(dayNumber(date))) !== iso) {
    throw new RangeError(`invalid input: ${iso} is not a day of the calendar`);
  }
  return date;
}

/** The day that a moment falls on in UTC. */
export function dateOf(moment: Date): CalendarDate {
  return fromDayNumber(Math.floor(moment.getTime() / MILLISECONDS_A_DAY));
}

/** Days since 1970-01-01, negative before it. A day past the month's end runs on into the next month. */
export function dayNumber(date: CalendarDate): number {
  // setUTCFullYear, since Date.UTC takes the years 0 to 99 for 1900 to 1999
  return new Date(0).setUTCFullYear(date.year, date.month - 1, date.day) / MILLISECONDS_A_DAY;
}

/** The inverse of `dayNumber`. */
export function fromDayNumber(days: number): CalendarDate {
  const moment = new Date(days * MILLISECONDS_A_DAY);
  return { year: moment.getUTCFullYear(), month: moment.getUTCMonth() + 1, day: moment.getUTCDate() };
}

/** The day of the week. */
export function weekdayOf(date: CalendarDate): Weekday {
  return WEEKDAYS[new Date(dayNumber(date) * MILLISECONDS_A_DAY).getUTCDay()] as Weekday;
}

/** Whether a year of the Gregorian calendar has a 29 February. */
function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Days from one day to another; 0 for the same day, negative if `to` is the earlier one. */
export function daysBetween(from: CalendarDate, to: CalendarDate): number {
  return dayNumber(to) - dayNumber(from);
}

/**
 * The birthday in a given year. Who was born on 29 February has it on 1 March of a common year, the day on which
 * the year of life is complete.
 */
export function birthdayIn(year: number, birth: CalendarDate): CalendarDate {
  return fromDayNumber(dayNumber({ ...birth, year }));
}

/** Completed years of life on a day. */
export function ageOn(today: CalendarDate, birth: CalendarDate): number {
  const years = today.year - birth.year;
  return daysBetween(birthdayIn(today.year, birth), today) >= 0 ? years : years - 1;
}

/** The next birthday on or after `today`, and the days until then (0 on the birthday itself). */
export function nextBirthday(
  today: CalendarDate,
  birth: CalendarDate,
): { date: CalendarDate; days: number; age: number } {
  const thisYear = birthdayIn(today.year, birth);
  const date = daysBetween(today, thisYear) >= 0 ? thisYear : birthdayIn(today.year + 1, birth);
  return { date, days: daysBetween(today, date), age: date.year - birth.year };
}

/** The first leap day after a day. */
export function nextLeapDay(after: CalendarDate): CalendarDate {
  let year = after.month > 2 || (after.month === 2 && after.day === 29) ? after.year + 1 : after.year;
  while (!isLeapYear(year)) year++;
  return { year, month: 2, day: 29 };
}

/** "2024-02-29" */
export function formatIso(date: CalendarDate): string {
  const pad = (value: number, width: number) => String(value).padStart(width, "0");
  return `${pad(date.year, 4)}-${pad(date.month, 2)}-${pad(date.day, 2)}`;
}

/** "29 February 2024" */
export function formatLong(date: CalendarDate): string {
  return `${date.day} ${MONTHS[date.month - 1]} ${date.year}`;
}
