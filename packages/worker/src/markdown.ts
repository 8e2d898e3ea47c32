import { marked, type Token, type Tokens } from "marked";

/** A piece of a line in one style. */
export type Run = { text: string; bold: boolean; italic: boolean };

/** A block of a document, in reading order. `level` is 1 to 6; `marker` is "•" or for example "2.". */
export type Block =
  | { kind: "heading"; level: number; runs: Run[] }
  | { kind: "paragraph"; runs: Run[] }
  | { kind: "quote"; runs: Run[] }
  | { kind: "item"; marker: string; runs: Run[] }
  | { kind: "rule" };

/**
 * Flattens Markdown (CommonMark and GitHub's extensions) into blocks that can be set or spoken. Links keep their
 * text, images their description, HTML is shown as it is written, tables become one paragraph a row.
 */
export function parseMarkdown(markdown: string): Block[] {
  return marked.lexer(markdown).flatMap((token) => blocksOf(token));
}

/** The text of some runs without their style. */
export function plainText(runs: readonly Run[]): string {
  return runs.map((run) => run.text).join("");
}

function blocksOf(token: Token): Block[] {
  switch (token.type) {
    case "space":
    case "def":
      return [];
    case "hr":
      return [{ kind: "rule" }];
    case "heading":
      return [{ kind: "heading", level: (token as Tokens.Heading).depth, runs: runsOf(token) }];
    case "blockquote":
      return childrenOf(token).flatMap((child) =>
        blocksOf(child).map((block) => (block.kind === "paragraph" ? { ...block, kind: "quote" } : block)),
      );
    case "list":
      return (token as Tokens.List).items.flatMap((item, index) =>
        itemBlocks(token as Tokens.List, item, index),
      );
    case "code":
      return (token as Tokens.Code).text.split("\n").map((line) => paragraph([plain(line)]));
    case "table": {
      const { header, rows } = token as Tokens.Table;
      return [header, ...rows].map((row) => paragraph([plain(row.map((cell) => cell.text).join(" · "))]));
    }
    default:
      return [paragraph(runsOf(token))];
  }
}

/** A list item is its first paragraph with the marker, followed by whatever else it holds. */
function itemBlocks(list: Tokens.List, item: Tokens.ListItem, index: number): Block[] {
  const marker = list.ordered ? `${Number(list.start) + index}.` : "•";
  const [first, ...rest] = item.tokens.flatMap((child) => blocksOf(child));
  if (first?.kind !== "paragraph")
    return [{ kind: "item", marker, runs: [] }, ...(first ? [first] : []), ...rest];
  return [{ kind: "item", marker, runs: first.runs }, ...rest];
}

function runsOf(token: Token, bold = false, italic = false): Run[] {
  const children = childrenOf(token);
  if (children.length > 0) {
    return children.flatMap((child) =>
      runsOf(child, bold || child.type === "strong", italic || child.type === "em"),
    );
  }
  if (token.type === "br") return [{ text: "\n", bold, italic }];
  const text = "text" in token ? String(token.text) : token.raw;
  return [{ text: text.replace(/\s+/g, " "), bold, italic }];
}

function childrenOf(token: Token): Token[] {
  return "tokens" in token && token.tokens ? token.tokens : [];
}

function paragraph(runs: Run[]): Block {
  return { kind: "paragraph", runs };
}

function plain(text: string): Run {
  return { text, bold: false, italic: false };
}
