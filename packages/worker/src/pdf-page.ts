import { type PDFDocument, type PDFPage, type RGB, rgb } from "pdf-lib";
import type { Run } from "./markdown.ts";
import { type EmbeddedFace, type Face, faceOf } from "./pdf-fonts.ts";
import { breakLines, type Span } from "./pdf-lines.ts";

/** A4 in points, with the margins around the text. */
const PAGE = { width: 595.28, height: 841.89, side: 84, top: 76, bottom: 84 } as const;
/** Width of a line in points. */
const TEXT_WIDTH = PAGE.width - 2 * PAGE.side;

/** The color of words. */
export const INK = rgb(0.13, 0.13, 0.17);
/** The color of what stands beside them. */
export const MUTED = rgb(0.42, 0.42, 0.48);
/** The color of headings and lines. */
export const ACCENT = rgb(0.2, 0.19, 0.45);

/** How a block is set; lengths in points. */
export type BlockStyle = {
  size: number;
  leading: number;
  color: RGB;
  before: number;
  after: number;
  indent?: number;
  centered?: boolean;
  /** Lines of the next block that must fit below this one's last line. */
  keepWithNext?: number;
  /** A rule along the left edge. */
  bar?: boolean;
};

/** Sets blocks from top to bottom and goes on to a new page where one is full. */
export class PageSetter {
  private readonly document: PDFDocument;
  private readonly faces: Map<Face, EmbeddedFace>;
  private page: PDFPage;
  private y: number;

  constructor(document: PDFDocument, faces: Map<Face, EmbeddedFace>) {
    this.document = document;
    this.faces = faces;
    this.page = this.newPage();
    this.y = PAGE.height - PAGE.top;
  }

  /** Sets a block of text; `marker` hangs to the left of an indented one. */
  block(runs: readonly Run[], style: BlockStyle, marker?: string): void {
    const indent = style.indent ?? 0;
    const lines = breakLines(
      this.settable(runs),
      (span) => this.width(span, style.size),
      TEXT_WIDTH - indent,
    );
    if (!this.atTop()) this.y -= style.before;
    lines.forEach((line, index) => {
      // no block leaves a single line behind at the foot of a page
      const together = (index === 0 ? Math.min(2, lines.length) : 1) + (style.keepWithNext ?? 0);
      if (this.y - together * style.leading < PAGE.bottom) this.breakPage();
      this.y -= style.leading;
      const width = line.reduce((sum, span) => sum + this.width(span, style.size), 0);
      const x = PAGE.side + indent + (style.centered ? (TEXT_WIDTH - indent - width) / 2 : 0);
      this.line(line, x, this.y, style.size, style.color);
      if (marker && index === 0) this.marker(marker, PAGE.side + indent, style);
      if (style.bar) {
        this.page.drawRectangle({
          x: PAGE.side + indent - 14,
          y: this.y - style.leading * 0.3,
          width: 1.5,
          height: style.leading,
          color: ACCENT,
        });
      }
    });
    this.y -= style.after;
  }

  /** Draws an ornament of a given height, centered: `draw` gets the page, its middle and the ornament's middle line. */
  ornament(height: number, draw: (page: PDFPage, x: number, y: number) => void): void {
    if (this.y - height < PAGE.bottom) this.breakPage();
    draw(this.page, PAGE.width / 2, this.y - height / 2);
    this.y -= height;
  }

  /** Writes the foot of each page, once all text is set. */
  footers(title: string): void {
    const pages = this.document.getPages();
    const size = 9.5;
    const y = PAGE.bottom - 36;
    pages.forEach((page, index) => {
      this.page = page;
      const [name = []] = breakLines(
        this.settable([{ text: title, bold: false, italic: true }]),
        (span) => this.width(span, size),
        TEXT_WIDTH * 0.7,
      );
      this.line(name, PAGE.side, y, size, MUTED);
      const number = { text: `${index + 1} / ${pages.length}`, bold: false, italic: false };
      this.line([number], PAGE.width - PAGE.side - this.width(number, size), y, size, MUTED);
    });
  }

  private marker(text: string, right: number, { size, color }: BlockStyle): void {
    const span = { text, bold: false, italic: false };
    this.line([span], right - 6 - this.width(span, size), this.y, size, color);
  }

  private line(spans: readonly Span[], left: number, y: number, size: number, color: RGB): void {
    let x = left;
    for (const span of spans) {
      this.page.drawText(span.text, { x, y, size, color, font: this.face(span).font });
      x += this.width(span, size);
    }
  }

  private settable(runs: readonly Run[]): Run[] {
    return runs.map((run) => ({
      ...run,
      text: run.text
        .split("\n")
        .map((line) => this.face(run).settable(line))
        .join("\n"),
    }));
  }

  private width(span: Span, size: number): number {
    return this.face(span).font.widthOfTextAtSize(span.text, size);
  }

  private face(style: Pick<Run, "bold" | "italic">): EmbeddedFace {
    const face = this.faces.get(faceOf(style));
    if (!face) throw new Error(`the face ${faceOf(style)} was not embedded`);
    return face;
  }

  private atTop(): boolean {
    return this.y === PAGE.height - PAGE.top;
  }

  private breakPage(): void {
    this.page = this.newPage();
    this.y = PAGE.height - PAGE.top;
  }

  private newPage(): PDFPage {
    return this.document.addPage([PAGE.width, PAGE.height]);
  }
}
