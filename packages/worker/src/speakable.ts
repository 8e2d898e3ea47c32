import anyAscii from "any-ascii";
import { parseMarkdown, plainText } from "./markdown.ts";

/** A stretch of speech, blocks parted by blank lines, at which espeak pauses by itself, and the silence after it in seconds. */
export type Utterance = { text: string; pause: number };

const PAUSE = 0.7;
/** A rule in the text is a breath of its own. */
const RULE_PAUSE = 0.8;
/** Blocks up to this many characters, like headings, are spoken in one go with what follows: each go costs a start of espeak. */
const SHORT = 100;

/**
 * Turns Markdown into stretches of speech, one for each longer block, without markup. The voices read Latin letters:
 * other scripts are transliterated, since espeak would spell them out letter by letter.
 */
export function speakable(markdown: string): Utterance[] {
  const utterances: Utterance[] = [];
  let open: Utterance | null = null;
  for (const block of parseMarkdown(markdown)) {
    if (block.kind === "rule") {
      const last = utterances.at(-1);
      if (last) last.pause += RULE_PAUSE;
      open = null;
      continue;
    }
    const text = spoken(plainText(block.runs));
    if (!/[\p{L}\p{N}]/u.test(text)) continue;
    if (open) {
      open.text += `\n\n${text}`;
    } else {
      open = { text, pause: PAUSE };
      utterances.push(open);
    }
    if (text.length > SHORT) open = null;
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
