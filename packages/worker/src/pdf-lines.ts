import type { Run } from "./markdown.ts";

/** A stretch of one line in one style. */
export type Span = Run;
/** Measures a text in a style, in points. */
export type Measure = (span: Span) => number;

/**
 * Breaks runs into lines that are not wider than `width` points, at spaces and forced breaks; a word that is wider
 * than a line is broken between characters.
 */
export function breakLines(runs: readonly Run[], measure: Measure, width: number): Span[][] {
  const lines: Span[][] = [];
  let line: Span[] = [];
  // kept as a sum, since to measure is dear and a line grows word by word
  let lineWidth = 0;
  const close = () => {
    if (line.length > 0) lines.push(line);
    line = [];
    lineWidth = 0;
  };
  const add = (word: readonly Span[], space: string) => {
    const last = line.at(-1);
    const gap = last && space ? measure({ ...last, text: space }) : 0;
    const wordWidth = word.reduce((sum, span) => sum + measure(span), 0);
    if (lineWidth + gap + wordWidth > width) return false;
    line = appended(line, word, space);
    lineWidth += gap + wordWidth;
    return true;
  };
  for (const word of wordsOf(runs)) {
    if (word === "break") {
      close();
      continue;
    }
    if (add(word, " ")) continue;
    close();
    if (add(word, "")) continue;
    for (const character of charactersOf(word)) {
      if (add([character], "")) continue;
      close();
      line = [character];
      lineWidth = measure(character);
    }
  }
  close();
  return lines;
}

/** The words of some runs; a word may consist of spans in several styles. */
function wordsOf(runs: readonly Run[]): (Span[] | "break")[] {
  const words: (Span[] | "break")[] = [];
  let word: Span[] = [];
  const close = () => {
    if (word.length > 0) words.push(word);
    word = [];
  };
  for (const run of runs) {
    for (const piece of run.text.split(/(\n| +)/)) {
      if (piece === "") continue;
      if (piece === "\n" || piece.startsWith(" ")) {
        close();
        if (piece === "\n") words.push("break");
      } else {
        word.push({ ...run, text: piece });
      }
    }
  }
  close();
  return words;
}

function charactersOf(word: readonly Span[]): Span[] {
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  return word.flatMap((span) =>
    [...segmenter.segment(span.text)].map(({ segment }) => ({ ...span, text: segment })),
  );
}

/** The line with a word added; neighbours in the same style become one span, so that the text can be extracted whole. */
function appended(line: readonly Span[], word: readonly Span[], space: string): Span[] {
  const spans = line.map((span) => ({ ...span }));
  word.forEach((piece, index) => {
    const last = spans.at(-1);
    if (last && index === 0) last.text += space;
    if (last && last.bold === piece.bold && last.italic === piece.italic) last.text += piece.text;
    else spans.push({ ...piece });
  });
  return spans;
}
