import {
  BIRTHDAYS_AHEAD,
  BIRTHDAYS_TODAY,
  birthdayTomorrow,
  DAY_COUNTS,
  firstDays,
  MILESTONES,
  PRACTICES,
} from "../phrases/counting.ts";
import { LIFE_PATH_THOUGHTS } from "../phrases/life-paths.ts";
import { ANIMAL_THOUGHTS, ELEMENT_THOUGHTS } from "../phrases/lunar-year.ts";
import { MOON_THOUGHTS } from "../phrases/moon.ts";
import { CLOSINGS, OPENINGS, WEEKDAY_THOUGHTS } from "../phrases/opening.ts";
import { FORM_THOUGHTS, WORD_ECHOES } from "../phrases/question-forms.ts";
import { SUN_SIGN_THOUGHTS } from "../phrases/sun-signs.ts";
import { NO_QUESTION, THEME_THOUGHTS } from "../phrases/themes.ts";
import { type BirthFacts, birthFacts } from "./birth-facts.ts";
import { birthdayIn, type CalendarDate, formatLong } from "./calendar.ts";
import { escapeMarkdown, oneLine } from "./markdown-escape.ts";
import { questionTraits } from "./question.ts";
import { type Pick, seededPick } from "./seeded.ts";
import type { MoonPhase } from "./sky.ts";

/** What a reading is made from; `birthDate` is "YYYY-MM-DD", `today` the day on which it is read. */
export type ReadingRequest = { name: string; birthDate: string; question: string; today: CalendarDate };

/**
 * Composes a reading in Markdown. The same request gives the same text, byte for byte. Throws a RangeError for an
 * impossible birth date or one after `today`.
 */
export function composeReading(request: ReadingRequest): string {
  const facts = birthFacts(request.birthDate, request.today);
  const question = oneLine(request.question);
  const pick = seededPick(oneLine(request.name), request.birthDate, question);
  const name = escapeMarkdown(request.name);
  const blocks = [
    `# A reading for ${name}`,
    `*${[`${facts.weekday}, ${formatLong(facts.birth)}`, ageNote(facts.age), `read on ${formatLong(facts.today)}`].join(" · ")}*`,
    `Dear ${name},`,
    pick(OPENINGS),
    "## The day of arrival",
    arrival(facts, pick),
    "## Sun and moon",
    `The sun stood in ${facts.sign}. ${pick(SUN_SIGN_THOUGHTS[facts.sign])}`,
    moonlight(facts, pick),
    `## The year of the ${facts.lunarYear.element} ${facts.lunarYear.animal}`,
    lunarYear(facts, pick),
    `## The number ${facts.lifePath}`,
    `Add up the digits of the day, the month and the year, each by itself and then together, and what remains is ${facts.lifePath}. ${pick(LIFE_PATH_THOUGHTS[facts.lifePath])}`,
    ...asked(question, pick),
    "## From here on",
    birthday(facts, pick),
    pick(PRACTICES),
    "---",
    `*${pick(CLOSINGS)}*`,
  ];
  return `${blocks.join("\n\n")}\n`;
}

function ageNote(age: number): string {
  if (age === 0) return "in the first year of life";
  if (age === 1) return "one year old";
  return age <= 115 ? `${age} years old` : `${age} years ago`;
}

function arrival(facts: BirthFacts, pick: Pick): string {
  const leapDay = facts.leapDay ? ", a day that most years do not have" : "";
  const thought = pick(WEEKDAY_THOUGHTS[facts.weekday]);
  const count =
    facts.daysLived < 30 ? firstDays(facts.daysLived) : pick(DAY_COUNTS)(grouped(facts.daysLived));
  const milestone = pick(MILESTONES)(grouped(facts.milestone.days), formatLong(facts.milestone.date));
  return `It was a ${facts.weekday}, ${formatLong(facts.birth)}${leapDay}. ${thought} ${count} ${milestone}`;
}

const MOON_WORDS: Readonly<Record<MoonPhase, string>> = {
  "new moon": "new",
  "waxing crescent": "a waxing crescent",
  "first quarter": "at its first quarter",
  "waxing gibbous": "waxing and more than half full",
  "full moon": "full",
  "waning gibbous": "waning and still more than half full",
  "last quarter": "at its last quarter",
  "waning crescent": "a waning crescent",
};

function moonlight({ moon }: BirthFacts, pick: Pick): string {
  const lit = Math.round(moon.illuminated * 100);
  return `At noon by Greenwich the moon was ${MOON_WORDS[moon.phase]}, ${moon.age.toFixed(1)} days old, with ${lit} per cent of its face in the light. ${pick(MOON_THOUGHTS[moon.phase])}`;
}

function lunarYear({ birth, lunarYear: year }: BirthFacts, pick: Pick): string {
  const early =
    year.year < birth.year && !year.turning
      ? ` (the year of ${birth.year} had not begun yet, for the lunar new year comes with a new moon between late January and late February)`
      : "";
  const turning = year.turning
    ? ` It was the very hinge of the lunar new year, which is reckoned by the clock in China; by the hour and the place of birth the neighbouring ${year.turning} may claim the day as well.`
    : "";
  return `The old Chinese calendar counts the day to the year of the ${year.animal}${early}.${turning} ${pick(ANIMAL_THOUGHTS[year.animal])} ${pick(ELEMENT_THOUGHTS[year.element])}`;
}

/** The section on the question: echoed literally, then what its words and its form suggest. */
function asked(question: string, pick: Pick): string[] {
  if (question === "") return ["## What was not asked", pick(NO_QUESTION)];
  const { theme, form, word } = questionTraits(question);
  const thought = pick(THEME_THOUGHTS[theme]);
  const echoed = ["## What you asked", `> ${escapeMarkdown(question)}`];
  // somebody in danger gets the one thing that helps, and no play with their words
  if (theme === "heavy") return [...echoed, thought];
  const echo = word === null ? "" : ` ${pick(WORD_ECHOES)(`“${escapeMarkdown(word)}”`)}`;
  return [...echoed, `${pick(FORM_THOUGHTS[form])}${echo}`, thought];
}

function birthday({ birth, next, leapDay }: BirthFacts, pick: Pick): string {
  const following = formatLong(birthdayIn(next.date.year + 1, birth));
  const date = formatLong(next.date);
  const leap = leapDay
    ? ` A true leap day comes round again on ${formatLong(leapDay)}; in the years between, 1 March stands in for it.`
    : "";
  if (next.days === 0) return pick(BIRTHDAYS_TODAY)(following) + leap;
  if (next.days === 1) return birthdayTomorrow(date) + leap;
  return pick(BIRTHDAYS_AHEAD)(`${next.days} days`, date) + leap;
}

function grouped(count: number): string {
  return count.toLocaleString("en-GB");
}
