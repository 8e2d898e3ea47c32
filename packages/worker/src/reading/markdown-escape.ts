/**
 * Makes a person's words one line of literal Markdown text: no markup, link, HTML or entity can come of it, also not
 * at the start of a line. Control and text-direction characters, which could hide or reorder text, are dropped.
 */
export function escapeMarkdown(words: string): string {
  return oneLine(words)
    .replace(/[\\`*_~[\]<>#@|]/g, "\\$&")
    .replace(/&(?=#?\w+;)/g, "\\&")
    .replace(/:(?=\/\/)/g, "\\:")
    .replace(/\bwww(?=\.)/gi, "$&\\")
    .replace(/^[-+=]/, "\\$&")
    .replace(/^(\d+)([.)])/, "$1\\$2");
}

/** Trims, composes (NFC) and collapses white space; drops control and text-direction characters. */
export function oneLine(words: string): string {
  return words
    .normalize("NFC")
    .replace(/(?!\s)[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "")
    .replace(/\p{Cs}/gu, "\ufffd")
    .replace(/\s+/gu, " ")
    .trim();
}
