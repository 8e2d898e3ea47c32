/** A piece of text within a line. */
export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] };

/** A block of a reading. */
export type Block =
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "paragraph" | "quote"; children: Inline[] }
  | { kind: "list"; ordered: boolean; items: Inline[][] }
  | { kind: "rule" };

const rule = /^ {0,3}([-*_])( *\1){2,} *$/;
const heading = /^ {0,3}(#{1,6})\s+(.+?)(?:\s+#+)?\s*$/;
const quote = /^ {0,3}> ?/;
const bullet = /^\s*[-*+]\s+/;
const numbered = /^\s*\d{1,9}[.)]\s+/;

/**
 * Reads the Markdown that readings use: headings, paragraphs, quotes, flat lists, rules, emphasis, code and links.
 * Whatever else stands there, HTML too, is text. Gives data, not markup, so nothing in it can become code.
 */
export function parseMarkdown(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.replaceAll("\r\n", "\n").split("\n");
  let index = 0;

  /** Takes lines as long as they match, without what matched. */
  const takeWhile = (pattern: RegExp): string[] => {
    const taken: string[] = [];
    for (let line = lines[index]; line !== undefined && pattern.test(line); line = lines[++index]) {
      taken.push(line.replace(pattern, ""));
    }
    return taken;
  };

  while (index < lines.length) {
    const line = lines[index] ?? "";
    const head = heading.exec(line);
    if (line.trim() === "") index++;
    else if (rule.test(line)) {
      blocks.push({ kind: "rule" });
      index++;
    } else if (head?.[1] && head[2]) {
      blocks.push({ kind: "heading", level: head[1].length, children: parseInline(head[2]) });
      index++;
    } else if (quote.test(line)) {
      blocks.push({ kind: "quote", children: parseInline(takeWhile(quote).join(" ").trim()) });
    } else if (bullet.test(line) || numbered.test(line)) {
      const ordered = !bullet.test(line);
      const items = takeWhile(ordered ? numbered : bullet).map((item) => parseInline(item.trim()));
      blocks.push({ kind: "list", ordered, items });
    } else {
      const text: string[] = [];
      do text.push(lines[index++]?.trim() ?? "");
      while (index < lines.length && !startsBlock(lines[index] ?? ""));
      blocks.push({ kind: "paragraph", children: parseInline(text.join(" ")) });
    }
  }
  return blocks;
}

function startsBlock(line: string): boolean {
  return line.trim() === "" || [rule, heading, quote, bullet, numbered].some((pattern) => pattern.test(line));
}

// Escapes first, then code, links, strong and emphasis; `_` counts only at the edge of a word. Spans are bounded, or
// a text full of openings without an end would take quadratic time.
const inline =
  /\\([\\`*_[\]#>.-])|`([^`]{1,500})`|\[([^\]]{1,500})\]\(([^\s()]{1,2000})\)|\*\*(?=\S)(.{1,500}?)(?<=\S)\*\*|\*(?=[^\s*])(.{1,500}?)(?<=[^\s*])\*(?!\*)|(?<!\w)__(?=\S)(.{1,500}?)(?<=\S)__(?!\w)|(?<!\w)_(?=[^\s_])(.{1,500}?)(?<=[^\s_])_(?!\w)/g;

function parseInline(text: string): Inline[] {
  const parts: Inline[] = [];
  const addText = (added: string) => {
    const last = parts.at(-1);
    if (last?.kind === "text") last.text += added;
    else if (added !== "") parts.push({ kind: "text", text: added });
  };
  let end = 0;
  for (const match of text.matchAll(inline)) {
    addText(text.slice(end, match.index));
    end = match.index + match[0].length;
    const [whole, escaped, code, label, href, strong, em, strong_, em_] = match;
    if (escaped !== undefined) addText(escaped);
    else if (code !== undefined) parts.push({ kind: "code", text: code });
    else if (label !== undefined && href !== undefined) {
      if (isSafeLink(href)) parts.push({ kind: "link", href, children: parseInline(label) });
      else addText(whole);
    } else {
      const bold = strong ?? strong_;
      parts.push({ kind: bold ? "strong" : "em", children: parseInline(bold ?? em ?? em_ ?? "") });
    }
  }
  addText(text.slice(end));
  return parts;
}

/** Only web and mail addresses: no `javascript:`, no `data:`, nothing relative to this page. */
function isSafeLink(href: string): boolean {
  return /^(https?:\/\/|mailto:)/i.test(href) && URL.canParse(href);
}
