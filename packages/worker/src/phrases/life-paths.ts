import type { LifePath } from "../reading/birth-facts.ts";

/** What number lore says of each life path. */
export const LIFE_PATH_THOUGHTS: Readonly<Record<LifePath, readonly string[]>> = {
  1: [
    "One is the number that stands up. It is given to those who would sooner make a path than ask for one, and its lifelong study is how to lead without being left alone.",
    "One is the upright stroke, the candle, the name on the door. It asks you to begin, and forgives you nearly everything if you do.",
  ],
  2: [
    "Two is the number of the meeting: question and answer, left hand and right. Those who carry it are said to notice the space between people, and to make it kinder.",
    "Two listens. In a loud time that may look like hesitation; in truth somebody has to hear how things fit together before they can be joined.",
  ],
  3: [
    "Three is the first number that makes a shape. It belongs to tellers of tales, to singers and hosts, and its homework is to finish the verse.",
    "With three there is somebody to laugh with and somebody to tell about it. Joy is the tool here, and it grows dull if it is only used to hide things.",
  ],
  4: [
    "Four is a table that does not wobble. It builds, measures twice, and can be found still holding up the roof when the celebrated numbers have gone home.",
    "Four has corners, and one can live in them. Order, in good hands, is a way of saying to others: you can rely on finding this where it was.",
  ],
  5: [
    "Five is the open hand and the crossroads inn. It learns by going, and what it needs to learn is mostly when to stay for breakfast.",
    "Five has the middle seat of the nine and turns to look at all of them. Change is its native language; it does well to keep one place where it speaks plainly.",
  ],
  6: [
    "Six is the number of the hearth, the one who asks whether everybody has eaten. Its care is real, and it must be told from time to time that the list of everybody includes itself.",
    "Six looks for harmony as a musician does, by tuning. A string that is never let down will break; this, too, belongs to the art.",
  ],
  7: [
    "Seven shuts the door quietly and reads on. It wants to know what holds the world together, and it trusts an answer more if it was found alone and at night.",
    "Seven is the hermit’s lamp among the numbers. It lights only a few steps, and has led people astonishing distances in that manner.",
  ],
  8: [
    "Eight is balance seen from the side: what is given comes round, what is taken comes round as well. It is at home with weight, and it is asked to carry it fairly.",
    "Eight knows how things get done, and by whom, and what they cost. Its finest hour is when this knowledge is used to open a door for someone.",
  ],
  9: [
    "Nine has all the others behind it and one foot on the threshold. It is given to the generous and the far-sighted, who need to learn that they too may come to an end of something and rest.",
    "Multiply nine by what you like and the digits add up to nine again. The old number-readers saw in it a heart that goes out to all sorts of people and comes home unchanged.",
  ],
  11: [
    "Eleven is not reduced any further; it is two ones side by side, like the posts of a gate. It stands for sudden insight, and for the nerves that are the price of it.",
    "Eleven hears the thing behind the thing. Such hearing is a gift on the days when it is trusted, and noise on the days when it is not; rest tells the two apart.",
  ],
  22: [
    "Twenty-two is called the master builder and is left unreduced: the dreamer’s number with a carpenter’s hands. It asks for large plans and a very small first step.",
    "With twenty-two the tradition expects much, and may be told to wait. Cathedrals were built by people who went home for supper.",
  ],
  33: [
    "Thirty-three is rare and is left as it is: the teacher’s number, all warmth and responsibility. Its wisdom lies in teaching what it is itself still learning.",
    "Thirty-three is said to carry others gladly. The oldest advice to such people is still the best: set them down now and then, and see how well they walk.",
  ],
};
