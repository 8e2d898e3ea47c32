import type { SunSign } from "../reading/sky.ts";

/** What tradition and a little thought say of each sun sign. */
export const SUN_SIGN_THOUGHTS: Readonly<Record<SunSign, readonly string[]>> = {
  Aries: [
    "Tradition gives Aries the first step, the struck match, the honest shout. Its lesson comes later and more quietly: that a fire is kept by the one who goes back for wood.",
    "Aries stands at the door of the zodiac like a child who cannot wait for snow. What looks like impatience is often plain faith that something good is on the other side.",
    "The ram lowers its head and goes. People under this sign are said to regret what they left undone far more than what they broke, and to be quick in mending it.",
  ],
  Taurus: [
    "Taurus keeps the garden of the zodiac: bread, wool, the hand flat on warm stone. It knows that to stay can be the most active thing a person does all day.",
    "They call the bull stubborn, usually while leaning on it. Steadiness only looks like slowness to those who have never had to rely on somebody.",
    "Under Taurus the senses are trusted counsellors. If a choice leaves the shoulders high and the breath short, this sign would say that the answer has already been given.",
  ],
  Gemini: [
    "Gemini is the sign of the open window and of two people talking in it. Its restlessness is mostly hunger, for the other half of the story.",
    "The twins were given to the mind because a mind is never alone; it answers back. The art for a Gemini is to let both voices finish their sentences.",
    "Where others own one key, Gemini collects them by the ring. Now and then it helps to remember that a door must be stayed behind for a while if it is to become a home.",
  ],
  Cancer: [
    "Cancer carries its house along and is teased for it, until the weather turns and everybody would like to come in. To be a shelter is a strength, and like all strength it needs rest.",
    "The crab goes sideways because straight ahead is not always where the tender things are safe. There is tact in that, and a long memory for kindness.",
    "In this sign the tide comes and goes twice a day, and nobody blames the sea. Feelings that are allowed to turn will turn.",
  ],
  Leo: [
    "Leo is fond of the light, and the best of Leo is fond of turning it on others. Warmth that wants to be seen is still warmth, and people hold out their hands to it.",
    "The lion is said to be proud. Look closer and it is mostly loyal, and loyalty needs a straight back.",
    "Play is serious work under this sign. Something that was begun for the joy of it and before witnesses will often carry a Leo further than any duty could.",
  ],
  Virgo: [
    "Virgo holds the sheaf of wheat, the harvest sorted grain by grain. Care of that kind is a way of loving which is seldom thanked and always missed.",
    "They say that Virgo sees the flaw first. It is truer that Virgo sees what the thing could be, and cannot help beginning to mend.",
    "This is the sign of skilled hands. Its peace is made on the day when it grants itself the patience that it has for everything else.",
  ],
  Libra: [
    "Libra keeps the scales, and knows better than most that balance is a movement. Watch anyone on a tightrope: they are never still.",
    "The gift of Libra is to hear what the quieter person in the room was about to say. The task is to hear it also when that person is oneself.",
    "Under Libra, beauty counts as an argument. A table laid with care has ended more quarrels than the cleverest speech.",
  ],
  Scorpio: [
    "Scorpio goes down to where the roots are. It asks for the truth as others ask for water, and can be trusted with it once it is given.",
    "The old books give Scorpio three creatures, the scorpion, the serpent and the eagle: what defends itself, what sheds its skin, and what finally looks on from a height.",
    "Half measures tire this sign more than labour does. When a Scorpio lets go of something it is gone for good, which is why the letting go may take its time.",
  ],
  Sagittarius: [
    "Sagittarius draws the bow towards something that is not yet in sight. Hope of that kind is a discipline, though it likes to go dressed as high spirits.",
    "The archer is half horse: the longing to be off is part of the body. A map, a language, a friend with other opinions will each do for a journey.",
    "Honesty comes easily under this sign, and timing a little later in life. Put together, the two make good teachers.",
  ],
  Capricorn: [
    "Capricorn climbs. Those who only see the summit miss the point of the goat, which is how surely it stands on very little.",
    "It is said that Capricorns are born old and grow younger. Duty is taken up early and laid down piece by piece, until one day there is laughter on the path.",
    "The sea-goat of the old star maps has a fish’s tail, a reminder that under all of this competence there is deep water, and that it is allowed.",
  ],
  Aquarius: [
    "Aquarius pours out the jar for whoever is thirsty and does not ask for names. To care for many can be easier than to be held by one; both are worth learning.",
    "This sign lives a little ahead of its time and is puzzled to find so few people there yet. They will come. It helps to leave a light on.",
    "The water-bearer is an air sign: what is carried is an idea. The good ones are those that somebody can drink.",
  ],
  Pisces: [
    "Pisces is two fish on one cord, one swimming up into the world and one down into the dream. Neither can leave without the other, and so they learn to dance.",
    "At the end of the zodiac everything that came before is dissolved again. Pisces feels with the others, often before they know it themselves, and must find out each evening which of the feelings are its own.",
    "Music, prayer, water, sleep: Pisces has many doors out of the noise. The craft lies in coming back through them with something in the hand.",
  ],
};
