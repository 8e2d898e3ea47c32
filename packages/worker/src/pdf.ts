import { PDFDocument } from "pdf-lib";
import { z } from "zod";
import type { Handler } from "./companion.ts";
import { type Block, parseMarkdown, plainText } from "./markdown.ts";
import { embedFaces, faceOf } from "./pdf-fonts.ts";
import { drawDots, drawMoons } from "./pdf-ornament.ts";
import { ACCENT, type BlockStyle, INK, MUTED, PageSetter } from "./pdf-page.ts";

const pdfInput = z.looseObject({
  /** The bound keeps the work at a few seconds. */
  markdown: z.string().min(1).max(100_000),
});

const BODY: BlockStyle = { size: 12, leading: 17.5, color: INK, before: 0, after: 9 };
const STYLES = {
  title: { size: 30, leading: 36, color: ACCENT, before: 0, after: 6, centered: true },
  subtitle: { size: 12, leading: 17, color: MUTED, before: 0, after: 24, centered: true },
  heading: { size: 16, leading: 21, color: ACCENT, before: 13, after: 5, keepWithNext: 2 },
  paragraph: BODY,
  quote: { ...BODY, size: 13, leading: 19, color: ACCENT, before: 2, after: 12, indent: 18, bar: true },
  item: { ...BODY, after: 4, indent: 18 },
} as const satisfies Record<string, BlockStyle>;

/**
 * Typesets Markdown as a PDF, A4. `created` is its creation date; the same Markdown and date give the same bytes. The
 * first heading becomes the title block, with a paragraph in italics right below it as its second line.
 */
export async function typeset(
  markdown: string,
  created: Date,
): Promise<{ pdf: Uint8Array<ArrayBuffer>; pages: number }> {
  const blocks = parseMarkdown(markdown).map(asTypeset);
  const [first, second] = blocks;
  const title = first?.kind === "heading" ? plainText(first.runs) : "Reading";

  const document = await PDFDocument.create({ updateMetadata: false });
  document.setTitle(title, { showInWindowTitleBar: true });
  document.setAuthor("Podbase reading worker");
  document.setCreator("Podbase");
  document.setProducer("pdf-lib");
  document.setLanguage("en");
  document.setCreationDate(created);
  document.setModificationDate(created);

  const runs = blocks.flatMap((block) => (block.kind === "rule" ? [] : block.runs));
  const faces = await embedFaces(document, ["regular", "italic", ...runs.map(faceOf)]);
  const setter = new PageSetter(document, faces);
  let body = blocks;
  if (first?.kind === "heading") {
    setter.ornament(44, drawMoons);
    const hasSubtitle = second?.kind === "paragraph" && second.runs.every((run) => run.italic);
    setter.block(first.runs, hasSubtitle ? STYLES.title : { ...STYLES.title, after: STYLES.subtitle.after });
    if (hasSubtitle) setter.block(second.runs, STYLES.subtitle);
    body = blocks.slice(hasSubtitle ? 2 : 1);
  }
  for (const block of body) {
    if (block.kind === "rule") setter.ornament(26, drawDots);
    else setter.block(block.runs, STYLES[block.kind], block.kind === "item" ? block.marker : undefined);
  }
  setter.footers(title);
  const pdf = new Uint8Array(await document.save());
  return { pdf, pages: document.getPageCount() };
}

/** Headings are set bold below the title and quotations in italics; the title itself is large enough. */
function asTypeset(block: Block, index: number): Block {
  if (block.kind === "heading" && index > 0) {
    return { ...block, runs: block.runs.map((run) => ({ ...run, bold: true })) };
  }
  if (block.kind === "quote") return { ...block, runs: block.runs.map((run) => ({ ...run, italic: true })) };
  return block;
}

/** Makes a reading printable. Input `{ markdown }`; output `{ pages }`, the document as the artifact `pdf`. */
export const pdfHandler: Handler = async (input, { now, progress, upload }) => {
  const { markdown } = pdfInput.parse(input);
  await progress(0.1, "Setting the pages");
  const { pdf, pages } = await typeset(markdown, now);
  await progress(0.9, "Storing the document");
  await upload("pdf", pdf);
  return { pages };
};
