import type { Animal, Element } from "../reading/sky.ts";

/** What the twelve animals are told to bring. */
export const ANIMAL_THOUGHTS: Readonly<Record<Animal, readonly string[]>> = {
  Rat: [
    "In the story of the great race the Rat crossed the river on the Ox’s back and hopped off first. Wit of that kind is best when it remembers the Ox.",
    "The Rat finds the gap in the wall and the grain behind it. What it gathers in autumn has saved more than one household in spring.",
  ],
  Ox: [
    "The Ox would have won the great race by simply walking, and when it came in second it is not said to have minded. There is great freedom in not needing to be first.",
    "The Ox draws one furrow and then the next. Ask those who eat the bread whether that is dull.",
  ],
  Tiger: [
    "The Tiger swam the river straight across, against the current, because that was where the other side was. Courage has a short memory for reasons.",
    "The Tiger is the guardian painted on the door. It is fierce on behalf of somebody, and that is worth remembering whenever the fierceness feels like a fault.",
  ],
  Rabbit: [
    "The Rabbit came across on stepping stones and a drifting log, by balance and luck and a certain lightness. Gentleness, too, gets to the other side.",
    "In the moon, it is told, a rabbit stands at a mortar and pounds the herb of long life. It is quiet work that is done for others, at night.",
  ],
  Dragon: [
    "The Dragon could have flown and won, and came fifth because it had stopped to make rain for a village and to blow the Rabbit’s log ashore. Power shows its worth in what it stops for.",
    "The Dragon is the only one of the twelve that nobody has met. Those who are born to it have to decide for themselves what it looks like.",
  ],
  Snake: [
    "The Snake arrived coiled around the Horse’s hoof, unnoticed until the moment mattered. To wait well is a form of intelligence.",
    "What the Snake outgrows it leaves behind in one piece, without bitterness, and goes on more sensitive than before. It is an enviable way to change.",
  ],
  Horse: [
    "The Horse runs because the ground is there. It wants company without a rein, and gives its whole heart to whoever has understood that.",
    "A Horse sleeps on its feet so as to be ready. It does no harm to tell it, now and then, that the field is safe and that it may lie down.",
  ],
  Goat: [
    "The Goat, in some tellings the Sheep, crossed the river on a raft together with the Monkey and the Rooster, each of them doing a part. None of the three could have come over alone.",
    "The Goat finds the green in a stony place and calls the others. Kindness and taste are close relations in this year.",
  ],
  Monkey: [
    "The Monkey cleared the weeds away so that the raft could pass. Inventiveness looks like play until one is stuck in the reeds.",
    "There is a Monkey in the old novels who upset the whole of heaven, and who became, on a long road with friends, wise. The mischief turned out to be needed for that.",
  ],
  Rooster: [
    "It was the Rooster who had spotted the raft. To see what lies there for all to see, and to say it aloud at an early hour, is a service that is not always thanked.",
    "The Rooster keeps its word with the morning. Whoever is born to it tends to believe that the day can be put in order, and by believing so puts a good part of it in order.",
  ],
  Dog: [
    "The Dog was the best swimmer and came in eleventh, having played in the water. Faithfulness and joy were never as far apart as the stern would have it.",
    "The Dog hears the step on the stairs before anyone else. Its love is attention, and its worry is the same thing on a bad night.",
  ],
  Pig: [
    "The Pig came last because it had eaten well and slept after, and it was received like all the others. There is a lesson in that about hurry, and one about welcome.",
    "In old writing the sign for home is a roof with a pig beneath it. Comfort, plenty and an open door: the year has had worse patrons.",
  ],
};

/** What the five elements are told to bring. */
export const ELEMENT_THOUGHTS: Readonly<Record<Element, readonly string[]>> = {
  Wood: [
    "Its element is wood, which grows towards the light and bends before it breaks.",
    "Wood is the element here: spring, the young branch, the wish to see things rise.",
  ],
  Fire: [
    "Its element is fire, which gives light as long as it is tended and warns by its warmth.",
    "Fire is the element here: summer, the full voice, the heart worn where it can be seen.",
  ],
  Earth: [
    "Its element is earth, which carries everyone and hurries for no one.",
    "Earth is the element here: the turn of the seasons, the kept promise, the ground under the feet of others.",
  ],
  Metal: [
    "Its element is metal, which takes an edge and holds it, and rings true when it is struck.",
    "Metal is the element here: autumn, clear air, and the courage to cut off what is over.",
  ],
  Water: [
    "Its element is water, which goes around the stone and in the end gives it its shape.",
    "Water is the element here: winter, the deep well, and listening as a way of knowing.",
  ],
};
