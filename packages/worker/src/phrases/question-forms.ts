/** How a question is put. */
export type QuestionForm =
  | "should"
  | "will"
  | "when"
  | "why"
  | "how"
  | "who"
  | "what"
  | "which"
  | "yes-or-no"
  | "open";

/** The beginnings that tell a form, first match wins. English; other questions are `open`. */
export const FORM_BEGINNINGS: readonly (readonly [Exclude<QuestionForm, "open">, RegExp])[] = [
  ["should", /\b(should|ought|shall|would it be (wise|better|right))\b/i],
  ["when", /^(\w+ )?(when|how (long|soon))\b/i],
  ["will", /\b(will|going to|ever)\b/i],
  ["why", /\bwhy\b/i],
  ["how", /\bhow\b/i],
  ["who", /\b(who|whom|whose)\b/i],
  ["which", /\b(which|rather|choose|or)\b/i],
  ["what", /\b(what|where)\b/i],
  ["yes-or-no", /^(is|are|am|was|were|do|does|did|can|could|have|has|may|might)\b/i],
];

/** What each form of asking gives away. */
export const FORM_THOUGHTS: Readonly<Record<QuestionForm, readonly string[]>> = {
  should: [
    "A question with “should” in it usually has a second one folded inside: according to whom? Unfold it, and see whose voice it is. If it is yours, listen closely; if it is somebody else’s, thank them and ask again with “want”.",
    "You ask what ought to be done, so part of you is already weighing. Toss a coin, not in order to obey it, but to notice in the half second while it is in the air which side you are hoping for.",
    "“Should” asks for a rule. There may not be one that fits, and then the choice falls to taste, courage and timing, which are yours and have been in training for years.",
  ],
  will: [
    "No date can answer a “will”, and anyone who claims it can is selling something. But the asking shows where you are leaning, and a person who leans long enough in one direction tends to end up walking that way.",
    "You ask about what is to come. The honest reply is that it is not written anywhere; the encouraging one is that it is therefore still listening to what you do.",
    "The future keeps its own counsel. What can be known is the next thing within reach that would make the hoped-for a little likelier, and you very probably know it already.",
  ],
  when: [
    "About the hour no calendar can be certain, for all its neat squares. A fair answer to “when” is often: as soon as it has become smaller. What is the piece of it that would fit into this week?",
    "You ask when, and waiting is the hardest of the arts, because it looks like doing nothing. It goes better if the time is furnished with something that would be good even if the other never came.",
  ],
  why: [
    "“Why” opens two doors. Behind one are causes, which can be looked up, and behind the other there are meanings, which have to be made. It is a relief to know at which of them one is knocking.",
    "You ask for a reason. There may be one, and there may only be a story that can be lived with; people have built very good lives on the second while they looked for the first.",
  ],
  how: [
    "You ask how, and so the deciding has been done; only the road is missing. Roads are mostly found by walking to the end of what can be seen.",
    "“How” is a hopeful word: it takes for granted that there is a way. Begin with somebody who has already done the thing, and ask them what they would leave out the second time.",
  ],
  who: [
    "You are asking about a person, and people are not in the calendar. Watch who is still there when the interesting part is over; it is a slow test, and it has never been improved upon.",
    "“Who” may be the bravest of the question words, since the answer can look back at you. Leave room for it to be someone whom you have known for a long time.",
  ],
  which: [
    "There is a choice in it. Try to describe the choice to an imaginary child of eight. Whatever survives being put so simply is probably the heart of it.",
    "A choice between two good things feels heavier than one between good and bad, and yet it is the lighter, for you can hardly go wrong. It asks for a farewell, more than for a verdict.",
  ],
  what: [
    "“What” is a question for the hands as much as for the head. Put the possible answers on small pieces of paper, lay them out on a table, and see which of them you keep picking up.",
    "You are asking for a name to give to something that you partly feel already. Names come more readily while walking than while sitting, and most readily just after one has given up.",
  ],
  "yes-or-no": [
    "It could be answered with yes or no, and you might try each of them on for a day like a coat. By evening one of the two will have begun to pinch.",
    "The question asks for one word. Say “yes” aloud when you are alone, then “no”, and listen to which of them your voice lets down.",
  ],
  open: [
    "You put it in your own way, and it deserves to be read as it stands.",
    "There it is, in your words, and they have been left exactly as they came.",
  ],
};

/** Ways to take up one word of the question; the word comes escaped and in quotation marks. */
export const WORD_ECHOES: readonly ((word: string) => string)[] = [
  (word) => `One word stands out in it, ${word}. You might ask what it meant to you ten years ago.`,
  (word) => `Notice that you chose the word ${word}, when there would have been others.`,
  (word) => `The weight of the sentence seems to rest on ${word}; try reading it once more without it.`,
  (word) => `If the whole of it had to be told in one word, ${word} might be the one.`,
];
