/** What a question may be about. `open` is every question that no other theme fits. */
export type Theme =
  | "heavy"
  | "health"
  | "grief"
  | "love"
  | "family"
  | "work"
  | "money"
  | "home"
  | "learning"
  | "making"
  | "self"
  | "open";

/**
 * The words that tell a theme, in the order in which a tie is decided. Whole words, English; questions in other
 * languages are `open`.
 */
export const THEME_WORDS: readonly (readonly [Exclude<Theme, "open">, RegExp])[] = [
  [
    "heavy",
    /\b(suicid\w*|kill myself|end my life|end it all|want to die|wish i was dead|self-?harm\w*|hurt myself|hurting myself|not want to live|no reason to live)\b/gi,
  ],
  [
    "health",
    /\b(health\w*|ill|illness|sick\w*|disease|cancer|doctors?|diagnos\w*|pain|surgery|operation|pregnan\w*|therapy|medication|sleep|anxiety|depress\w*|heal|healing|recover\w*)\b/gi,
  ],
  ["grief", /\b(died|death|dead|dying|grie\w+|mourn\w*|lost my|funeral|widow\w*|miss (him|her|them))\b/gi],
  [
    "love",
    /\b(lov\w+|relationships?|partners?|boyfriend|girlfriend|husband|wife|marr\w+|wedding|dating|romance|romantic|soul ?mate|heart(break|broken)?|breakup|divorc\w*|crush)\b/gi,
  ],
  [
    "family",
    /\b(famil\w+|mother|mum|mom|father|dad|parents?|sisters?|brothers?|sons?|daughters?|child(ren)?|kids?|baby|grand\w+|friends?|friendships?)\b/gi,
  ],
  [
    "work",
    /\b(work\w*|jobs?|career\w*|boss|colleagues?|promotion|profession\w*|business|company|startup|interviews?|retire\w*|office|employ\w*|vocation)\b/gi,
  ],
  [
    "money",
    /\b(money|debts?|rich|salary|savings?|invest\w*|afford|loans?|financ\w*|income|wealth\w*|rent)\b/gi,
  ],
  [
    "home",
    /\b(home|house|mov(e|ing)|city|country|abroad|emigrat\w*|travel\w*|journey|apartment|flat|garden\w*|land)\b/gi,
  ],
  [
    "learning",
    /\b(stud(y|ies|ying)|learn\w*|school|university|college|exams?|degree|teach\w*|languages?|course)\b/gi,
  ],
  [
    "making",
    /\b(writ(e|ing|er)|novel|book|paint\w*|music\w*|sing\w*|song|draw\w*|art|artists?|creativ\w*|compos\w*|danc\w*|poem\w*|poetry|photograph\w*|invent\w*)\b/gi,
  ],
  [
    "self",
    /\b(myself|who am i|purpose|meaning|happy|happiness|lonely|loneliness|afraid|fear\w*|confiden\w*|courage|peace|alone|stuck|lost|brave\w*|change|future|life)\b/gi,
  ],
];

/** Thoughts for each theme. */
export const THEME_THOUGHTS: Readonly<Record<Theme, readonly string[]>> = {
  heavy: [
    "This is too heavy to be carried with nothing but a page of old pictures for company. Please speak to somebody today: a person you trust, a doctor, or the crisis line of your country, which is free, answers at night as well, and does not need you to have the right words. If you are in danger now, call the emergency number. You do not have to be sure that it is bad enough.",
  ],
  health: [
    "A body is not a riddle to be solved by birth dates, so for what is wrong and what would help please lean on people who can examine you. What a reading can do is to stand beside that: you are allowed to be more than a patient, on any day, for as many minutes as you can manage.",
    "With health, let the knowledge come from those who are trained in it, and let this page be for the rest of you, the part that lies awake. That part is usually helped by three plain things: being told the truth, being touched kindly, and having one thing to look forward to that has nothing to do with it.",
  ],
  grief: [
    "Grief is what love does when it has nowhere to go, and it keeps no calendar. If there is anything to be done with it, it is perhaps to give it a place: a name spoken at table, a candle, a habit of theirs which you go on with. Nobody is asking you to be finished.",
    "There is no way around this question, only company on the way through. What has been between two people stays true after one of them is gone; it simply becomes a thing that you hold alone for a time, and are allowed to set down when your arms ache.",
  ],
  love: [
    "About love the calendars are remarkably silent, and that may be tact. What can be said is that it lives in the small change of the days: who is told the news first, whose cup is rinsed, which silence is easy. You could look there for a part of your answer.",
    "In matters of the heart it may help to separate two things that like to travel together, the wish to be loved and the wish to love. Each is good. They do not always ask for the same person, or for the same evening.",
    "Love questions are often timid about time: is it too late, too soon, too long? It might be worth asking instead in whose presence you breathe more freely and think more kindly, of them and of yourself.",
  ],
  family: [
    "The people closest to us knew us before we could explain ourselves, and this is both the trouble and the treasure. Something may become easier if one old sentence in the conversation is, for once, not said; and something else if one that is long overdue is.",
    "With one’s own people the same scene can be played for years, each of us word-perfect. It takes only a single actor to say a different line. It need not be a clever one: “Tell me more about that” has changed whole evenings.",
    "Belonging is made of repetition: the call on Sundays, the joke that is no longer funny, the key under the pot. If something hurts there, begin with what could be repeated gladly.",
  ],
  work: [
    "Work takes the best-lit hours of a life, so it is right to ask much of it. Ask what you would miss if it ended tomorrow: the craft, the people, the money or the name on the door. The answer tells you which part is worth defending and which could be changed.",
    "When work is the question, the body often knows first. Notice in which hour of an ordinary week you forget the clock, and in which you count it. Between these two lies a direction, and a direction is enough to take one step by.",
    "A vocation seldom comes as a voice. More often it is the thing one keeps doing while waiting for something else, and that other people have begun to ask for. Look at your idle hours with some respect.",
  ],
  money: [
    "Money makes a poor master of ceremonies and an excellent caretaker. Before you look at the sum, it may be worth writing down what it is for, in verbs: to stay, to leave, to rest, to give. Some of these turn out to be cheaper than they looked, and one or two to be worth any price.",
    "Worry about money grows in the dark, and a plain list in daylight is the oldest remedy. Figures that have been looked at lose about half of their size. For the rest, an honest talk with somebody who is good at sums is worth more than any constellation.",
  ],
  home: [
    "To ask about a place is to ask who one would be there. Try to imagine an ordinary Tuesday in it, with rain and the shopping to be done. If the picture still pleases you, it is more than a wish for elsewhere.",
    "Some people put down roots like oaks and some like strawberries, by runners, a little further on every time. Both of them are rooted. It helps to know which you are before you decide whether to stay.",
  ],
  learning: [
    "Learning has an awkward middle, where the old ease has gone and the new ease has not come. Almost everybody takes that for a sign to stop. It is the place where the thing is being learned.",
    "Nobody begins too late who begins for the sake of the thing itself. An hour a day is three hundred and sixty-five in a year; of those, you may lose a third to ordinary life and still be someone else by next autumn.",
  ],
  making: [
    "Whatever you are trying to make does not need to be good yet; it needs to exist, so that it can be made good. The first version is a conversation with the material, and you are permitted to mumble.",
    "Making things is a way of paying attention that leaves something behind. If it has stopped, the cause is seldom a lack of ideas. More often the door has been left open too wide, and somebody imagined has walked in to watch. Close it for half an hour.",
  ],
  self: [
    "Questions about oneself are like looking for one’s glasses: the search goes on through the very thing that is missing. Others may see it more easily. You could ask two people who like you what they come to you for, and believe them.",
    "Much of what we call being lost is being between two maps. The old one was right for the old country. For the new one there is nothing yet, apart from what you notice as you go, and the notes that you make are the map.",
    "It may be a comfort that nobody has ever become someone by deciding it in general. It happens by instances. What would the person you hope to be do in the next ten minutes, with what lies on the table?",
  ],
  open: [
    "It is a question with some air around it, and that is often where the good ones live. Before you look for the answer, try to notice what you would like it to be; the wish is already a piece of information, and an honest one.",
    "Some questions are opened like letters and some are planted like seeds. If this one is of the second kind, it will want a little water every day and no digging up to see how it is getting on.",
    "You might set the question aside as a thing to solve, and carry it for a week as a thing to look through. Held up to the people, the errands and the weather of seven ordinary days, it will show where it is transparent.",
  ],
};

/** What is offered when nothing was asked. */
export const NO_QUESTION: readonly string[] = [
  "You have kept your question to yourself, and that is a good place for it. If there is none, all the better: there are days on which one may simply be glad that nothing needs deciding. And if there is one that would not fit into words, perhaps it will look up at something else on this page and recognise it.",
  "Nothing was asked, so here is a question in return, with no hurry about it: what have you lately been doing well that nobody has remarked upon? It is worth knowing, and you may be the only one who can tell.",
  "You came without a question. Once in a while it is pleasant to look at a map without having to be anywhere. Let your eye rest on whatever on this page it comes back to by itself; that is often how a question first makes itself known.",
];
