import type { MoonPhase } from "../reading/sky.ts";

/** What a birth under each phase of the moon may be taken to mean. */
export const MOON_THOUGHTS: Readonly<Record<MoonPhase, readonly string[]>> = {
  "new moon": [
    "The moon was with the sun that day and could not be seen, although it had never been closer to its beginning. Trust in what does not show yet may be something that you know from the inside.",
    "It was a night for the stars alone. People born at the dark of the moon are said to start things by feel, and to be surprised that others need to see a plan.",
    "Farmers sowed at the new moon, on the grounds that a seed likes privacy. You might ask what in your life at present would do better if it were not looked at for a while.",
  ],
  "waxing crescent": [
    "A thin new light stood in the west after sunset, already on its way. The crescent asks for very little except that one should carry on.",
    "It was the moon of first intentions, slight as a fingernail and quite certain. Something small that has been kept up may matter more to you than something grand that was promised.",
    "On such evenings the dark part of the moon can be seen as well, faintly lit by the earth. What is to come is often already visible to those who look gently.",
  ],
  "first quarter": [
    "Half of the disc was lit and half still to come: the moon of the crossroads, when an intention meets its first real obstacle and finds out whether it is meant.",
    "At the first quarter light and dark are exactly even, and the light is winning. It is a useful picture for days on which being half done looks like having failed.",
    "The half moon stands high at nightfall, and the tides below it are mild. Not every turning point arrives with a storm.",
  ],
  "waxing gibbous": [
    "The moon was nearly round and not yet satisfied. Births at this time are given a patient eye for the last tenth of a thing, where the care shows.",
    "A gibbous moon lights the road well before its feast day. It may suit you to be good at the weeks before, the rehearsing and polishing and setting out of chairs.",
    "The light was almost whole. There is a sweetness in almost that those who only wait for the day itself never come to taste.",
  ],
  "full moon": [
    "The moon stood opposite the sun and kept nothing back. Born under a full moon, a person is said to see both sides clearly and to sleep a little less for it.",
    "It was full that night, bright enough to walk by. What is fully lit may also be let go of, and from the next day on the moon does just that, without complaint.",
    "Harvests used to be brought in by such a light, and neighbours who had quarrelled in spring worked side by side in it. Some things in your life may be asking simply to be gathered.",
  ],
  "waning gibbous": [
    "The feast was just over and the moon rose late, still generous. It is the phase of those who pass on what they have understood.",
    "The light had begun to give itself back. Teachers, letter writers and tellers of stories are often placed under this moon, and all who find that a thing is theirs only when it has been shared.",
    "A moon like that comes up when the house has gone quiet, and shines on whoever is still awake. Late hours may have been kind to you.",
  ],
  "last quarter": [
    "Half a moon stood in the morning sky, with its light on the other side now. It is the time for keeping what has proved itself and for taking down the rest.",
    "The last quarter is the hour of honest accounts. Those who are born in it are said to notice early what has outlived its use, and to need a little courage to say so.",
    "At this phase the moon is on the part of the road that the earth will reach some hours later. Looking ahead by letting go: an odd talent, and a good one.",
  ],
  "waning crescent": [
    "A last thin light rose shortly before the sun. The old name for this moon is balsamic, soothing, the moon of rest before the seed.",
    "Only early risers saw the moon on that day. There is much in it of endings that are gentle, of lamps turned down because the morning has come.",
    "The circle was nearly closed. Born so late in a month of the moon, one may carry something finished and something unborn, and be at home in the pause between the two.",
  ],
};
