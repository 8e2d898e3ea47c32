import { FORM_BEGINNINGS, type QuestionForm } from "../phrases/question-forms.ts";
import { THEME_WORDS, type Theme } from "../phrases/themes.ts";

/** What can be read off a question without understanding it. `word` is the longest telling word, if there is one. */
export type QuestionTraits = { theme: Theme; form: QuestionForm; word: string | null };

/** Words of five letters and more that tell nothing. */
const PLAIN_WORDS = new Set(
  "about after again anyone anything because before being could doing every everything going having might other really should something still than their there these thing things think those through until whether which while whose would without".split(
    " ",
  ),
);

/** Looks at the words of a question: what it is about, how it is put, which word stands out. */
export function questionTraits(question: string): QuestionTraits {
  return { theme: themeOf(question), form: formOf(question), word: tellingWord(question) };
}

function themeOf(question: string): Theme {
  const counts = THEME_WORDS.map(([theme, words]) => ({
    theme,
    // a sign of danger outweighs whatever else is asked
    count: (question.match(words)?.length ?? 0) * (theme === "heavy" ? 1000 : 1),
  }));
  const most = Math.max(...counts.map((c) => c.count));
  return most === 0 ? "open" : (counts.find((c) => c.count === most)?.theme ?? "open");
}

function formOf(question: string): QuestionForm {
  return FORM_BEGINNINGS.find(([, words]) => words.test(question))?.[0] ?? "open";
}

function tellingWord(question: string): string | null {
  const words = (question.match(/\p{L}[\p{L}\p{M}'’-]*\p{L}/gu) ?? []).filter(
    (word) => word.length >= 5 && word.length <= 24 && !PLAIN_WORDS.has(word.toLowerCase()),
  );
  const longest = Math.max(...words.map((word) => word.length));
  return words.find((word) => word.length === longest) ?? null;
}
