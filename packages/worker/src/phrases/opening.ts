import type { Weekday } from "../reading/calendar.ts";

/** First paragraphs: what this is. */
export const OPENINGS: readonly string[] = [
  "A birthday is the one appointment you have kept every year without ever having made it. This reading starts there: it works out what the calendar and the sky were doing on that day, and then turns to what is on your mind.",
  "Everything here grows from a single date. The dates and numbers are reckoned, and you could check each of them; the thoughts around them are offered the way a friend offers a chair, for you to take if you would like to sit a while.",
  "People have long looked at the day of a birth and asked what sort of day it was. The question is a good one even for those who expect no answer from the stars, because it makes us stop and look at the whole length of the road.",
  "Think of this as a letter that was addressed by the calendar and written for you. It brings a few facts about one particular day, some old pictures that people have hung on such days, and room to think about your own.",
  "You bring the date; the calendar brings its patience. Between the two there is usually enough light to see something by, and this reading is a walk around with that lamp held up.",
  "No day arrives empty. Yours came with a weekday, a moon, a place in several old calendars, and none of the plans you have now. Here is what it carried, set out in order, with time to look at each piece.",
];

/** What each weekday lends a birth. */
export const WEEKDAY_THOUGHTS: Readonly<Record<Weekday, readonly string[]>> = {
  Monday: [
    "It is the moon’s day by name, and the day on which the world picks up its tools again. Those who start on a Monday may know in their bones that beginning is a skill, and that it can be practised until it stops being frightening.",
    "Mondays have a poor reputation among people who forget how clean they are. Nothing has gone wrong yet. To have arrived on one is a standing reminder that a blank page is a kindness.",
    "The week opened and you were in it. There is an old habit of giving Monday’s children fair faces; a better gift might be the knack of walking into a room where nothing has been decided.",
  ],
  Tuesday: [
    "Tuesday belongs to Mars and to Tyr, the god who put his hand in the wolf’s mouth so that others would be safe. It is a day for quiet courage, the sort that is mostly noticed afterwards.",
    "By Tuesday the week has stopped making speeches and begun to work. People who come into the world on such a day often trust what is done more than what is announced.",
    "An old rhyme calls Tuesday’s child full of grace. Grace is a practical thing: it means using no more force than the moment needs, and knowing that you have more.",
  ],
  Wednesday: [
    "Wednesday carries Mercury’s name in one half of Europe and Odin’s in the other, and both were travellers who brought back word from far away. It is the day of messages, crossings and good questions.",
    "The middle of the week looks both ways. To be born there may be to see the near bank and the far one at once, which is a help to others and now and then a burden to oneself.",
    "The old rhyme is hard on Wednesday’s child and predicts woe. It has been wrong about a great many cheerful people. What it may have noticed is depth, which from outside is easily mistaken for sorrow.",
  ],
  Thursday: [
    "Thursday is Jupiter’s day and Thor’s, and both of them were generous, loud and fond of guests. It is a day that leaves the door open, and the rhyme says its children have far to go.",
    "By Thursday the hills of the week are behind and the view has begun to widen. It is a good day to have been given: one that leans forward without hurrying.",
    "“Thursday’s child has far to go”, says the rhyme, and never says whether that is a warning or a promise. Most long roads turn out to be a little of each.",
  ],
  Friday: [
    "Friday was given to Venus, and in the north to Frigg, who was said to know every fate and to speak of none. It is a day for loving things on purpose.",
    "On Fridays the world loosens its collar. To have arrived as the week was turning towards its table and its company says something pleasant about your timing.",
    "The rhyme makes Friday’s child loving and giving. If that is so, may it come with the harder half of the gift, which is to be easy to give to.",
  ],
  Saturday: [
    "Saturday is named for Saturn, the old god of seed and harvest, who knew that nothing good can be hurried and that everything good must still be gathered in time.",
    "Saturday is when people mend the things that are theirs. There is a dignity in that: the work nobody asked for, done because the fence is yours and it was leaning.",
    "The rhyme says that Saturday’s child works hard for a living. It leaves out that Saturday is also when the work is one’s own, and that this makes all the difference.",
  ],
  Sunday: [
    "Sunday is the sun’s own day, the pause at the top of the breath. To begin there is to begin with rest, which is an unusual and rather wise order in which to do things.",
    "The week was holding still when you came. Perhaps that is why some part of you may still expect a quiet morning to be possible, and is right to go on expecting it.",
    "Sunday’s child is promised everything by the rhyme: bonny, blithe, good and gay. Nobody manages all four at once. Managing one of them on an ordinary day is already a decent kind of luck.",
  ],
};

/** Last paragraphs: what this was. */
export const CLOSINGS: readonly string[] = [
  "The arithmetic in this reading is exact, or says where it is rounded. The meanings are old stories and new thoughts, and they know nothing about you that you did not bring. Keep what rings true; the rest can go back on the shelf without offence.",
  "A reading foretells nothing. It is a mirror with a calendar painted on its frame, made for reflection and for a quiet quarter of an hour. What you saw in it was yours before you looked.",
  "Please take this as company and leave the deciding to yourself. The dates are facts, the pictures are borrowed from many generations, and the choosing has been in your hands all along.",
  "If one sentence stayed with you, it has done its work, and you might write it down before it fades. If none did, you have still spent some minutes thinking about your own life kindly, and that is seldom wasted. It was meant for reflection and makes no claim to know the future.",
];
