/** Ways to tell a count of days; `days` is written out with separators, for example "11,224". */
export const DAY_COUNTS: readonly ((days: string) => string)[] = [
  (days) =>
    `Counting from that day to this one, ${days} days have gone by. Most of them asked very little and are forgotten, which is how it should be; a handful asked for everything, and you could probably name those without a calendar.`,
  (days) =>
    `Between then and now lie ${days} days. Laid end to end they make a path that nobody else has walked, with all of its detours, and today is simply the newest stone in it.`,
  (days) =>
    `The count stands at ${days} days. Said aloud it is a strange number, too large to remember and too small to waste, and each one of them had a morning in it.`,
  (days) =>
    `That was ${days} days ago. Every one of them ended, the hard ones too, and this is perhaps the best evidence there is that you know how to get to the end of a hard day.`,
  (days) =>
    `The sun has come up ${days} times since. It never once needed your help, and still there were mornings on which getting up beside it was an achievement.`,
];

/** Ways to tell of the next round thousand of days. */
export const MILESTONES: readonly ((days: string, date: string) => string)[] = [
  (days, date) =>
    `Day number ${days} falls on ${date}. No card will come for it, so it is free for a small celebration of your own making.`,
  (days, date) =>
    `On ${date} the count reaches ${days}. It could be a good date on which to look back at this page and see what has moved.`,
  (days, date) =>
    `The next round number, ${days}, is waiting on ${date}: a milestone that only someone who counts would see.`,
  (days, date) =>
    `Should you like anniversaries that nobody else knows about, keep ${date} free, for it will be day ${days}.`,
];

/** The count of days in the first month of life. */
export function firstDays(days: number): string {
  if (days === 0) {
    return "That is today, and the count of days stands at nought. Everything that could be said about the road is still ahead; for now there is only the arriving, and it is enough.";
  }
  const count = days === 1 ? "A single day has" : `No more than ${days} days have`;
  return `${count} gone by since then. The road can still be seen from end to end, and whoever reads this aloud may have a small hand around one finger.`;
}

/** Ways to speak of a birthday that is still to come; `days` is for example "12 days", `date` "3 May 2027". */
export const BIRTHDAYS_AHEAD: readonly ((days: string, date: string) => string)[] = [
  (days, date) =>
    `There are ${days} until the next birthday, on ${date}. A year that is partly used is a useful thing: enough of it is known to learn from, and enough is left to change.`,
  (days, date) =>
    `The next birthday comes on ${date}, in ${days}. That is a stretch of time with a clear end, and such stretches are good for trying something out without having to promise it for ever.`,
  (days, date) =>
    `In ${days}, on ${date}, the year of life turns over. Until then this one is still being written, and its last pages tend to be the ones that give the chapter its name.`,
];

/** What is said on the day before the birthday. */
export function birthdayTomorrow(date: string): string {
  return `Tomorrow, on ${date}, is the birthday. Tonight is then a kind of New Year’s Eve with nobody else invited, and the evening before is often better than the feast.`;
}

/** What is said on the birthday itself; `date` is the next one’s. */
export const BIRTHDAYS_TODAY: readonly ((date: string) => string)[] = [
  (date) =>
    `And it happens to be today. Happy birthday. Whatever else the day holds, let it hold one quarter of an hour that belongs to nobody but you. The next one comes on ${date}.`,
  (date) =>
    `The calendar has come full circle this very day, so first of all: happy birthday. It will do so again on ${date}, and between the two lies a whole year that nobody has touched.`,
];

/** Small things to do, each of them possible within a day and at no cost. */
export const PRACTICES: readonly string[] = [
  "Here is something small to do with it: write down one sentence that you would be glad to read on that day, put it in an envelope, and give the envelope to someone who can be trusted to post it.",
  "One suggestion, to be taken lightly: choose a single thing that you do each day without noticing, and for one week do it as though somebody you love were watching and learning how.",
  "You might mark the time by taking the same photograph once a week, from the same window, at about the same hour. Nothing will seem to change until you lay them side by side.",
  "If you would like a companion for these weeks, let it be a question instead of a resolution. Write it on a card, and each evening add no more than five words. Do not read them over until the end.",
  "Try telling one person, in plain words, what they once did that you have not forgotten. It takes less than a minute, and people have been known to keep such sentences for forty years.",
  "Pick the drawer, the shelf or the folder that you have been avoiding and give it ten minutes by the clock. Stop when they are over. It is surprising how often the thing you were looking for was a bit of order.",
  "Walk one familiar way in the opposite direction. The houses have other faces from there, and the mind, which is easily led by the feet, may notice that it too has been taking only one side of the street.",
  "Once before that day, eat a meal alone and unhurried, with nothing to read. The first minutes are long. After that, thoughts come and sit down opposite you that have been waiting for a free chair.",
  "Learn by heart one short poem or the words of one song, in any language you like. It weighs nothing, nobody can take it from you, and it will be there in some waiting room when you need it.",
  "Finish one thing that has been nine tenths done for too long. Choose the smallest. The room it takes up in you is out of all proportion to the work that is left.",
  "Put something into the earth, or into a pot on the sill, that will need you for a while: a bulb, a bean, a cutting from a neighbour. Looking after something slow is a good answer to most kinds of haste.",
  "Ask somebody older than you what they were afraid of at your age, and somebody younger what they are looking forward to. Between the two answers you may find out quite exactly where you are standing.",
];
