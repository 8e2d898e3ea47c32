import anyAscii from "any-ascii";
import { parseMarkdown, plainText } from "./markdown.ts";

/** A stretch of speech and the silence after it in seconds. */
export type Utterance = { text: string; pause: number };

const PAUSE_AFTER = { heading: 0.8, paragraph: 0.7, quote: 0.9, item: 0.4 } as const;
/** A rule in the text is a breath of its own. */
const RULE_PAUSE = 0.8;

/**
 * Turns Markdown into stretches of speech, one for each block, without markup. The voices read Latin letters: other
 * scripts are transliterated, since espeak would spell them out letter by letter.
 */
export function speakable(markdown: string): Utterance[] {
  const utterances: Utterance[] = [];
  for (const block of parseMarkdown(markdown)) {
    const last = utterances.at(-1);
    if (block.kind === "rule") {
      if (last) last.pause += RULE_PAUSE;
      continue;
    }
    const text = spoken(plainText(block.runs));
    if (/[\p{L}\p{N}]/u.test(text)) utterances.push({ text, pause: PAUSE_AFTER[block.kind] });
  }
  return utterances;
}

function spoken(text: string): string {
  return (
    text
      .replace(/\p{Extended_Pictographic}/gu, (sign) => (/[\d#*©®™]/u.test(sign) ? sign : " "))
      .replace(/[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]+/gu, (word) => anyAscii(word))
      .replace(/\s*·\s*/g, ", ")
      .replace(/\s*[—–]\s*/g, ", ")
      // espeak reads "[[…]]" as phonemes and "<…>" as markup
      .replace(/[[\]<>]/g, " ")
      .replace(/\s+/g, " ")
      .trim()
  );
}
