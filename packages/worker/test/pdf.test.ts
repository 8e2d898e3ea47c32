import { create, type Font } from "fontkit";
import { decodePDFRawStream, PDFDocument, PDFRawStream } from "pdf-lib";
import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs";
import { describe, expect, it } from "vitest";
import { typeset } from "../src/pdf.ts";

const created = new Date("2026-11-22T09:30:00Z");
const TEXT = [
  "# A reading for Zoë Σοφία Наталья",
  "*Thursday, 29 February 1996 · read today*",
  "Dear Zoë Σοφία Наталья,",
  "## The office of the moon",
  "It was **nearly** full, and *fine* to walk by.",
  "> Will I find fifty-five waffles?",
  "---",
  "*That is all.*",
].join("\n\n");

async function read(pdf: Uint8Array) {
  // pdf.js takes the buffer away
  const task = getDocument({ data: pdf.slice(), useSystemFonts: false, verbosity: 0 });
  const document = await task.promise;
  const pages: string[] = [];
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    pages.push(items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join(""));
  }
  const { info } = await document.getMetadata();
  const page = await document.getPage(1);
  await task.destroy();
  return { pages, info: info as Record<string, unknown>, view: page.view };
}

/** The TrueType fonts inside a PDF, as fontkit reads them. */
async function fontsOf(pdf: Uint8Array): Promise<Font[]> {
  const document = await PDFDocument.load(pdf);
  return document.context.enumerateIndirectObjects().flatMap(([, object]) => {
    if (!(object instanceof PDFRawStream)) return [];
    const content = Buffer.from(decodePDFRawStream(object).decode());
    return content.toString("latin1", 0, 4) === "true" ? [create(content) as Font] : [];
  });
}

describe("a typeset reading", { timeout: 60_000 }, () => {
  it("is an A4 document whose text can be extracted, in Latin, Greek and Cyrillic", async () => {
    const { pdf, pages } = await typeset(TEXT, created);
    const document = await read(pdf);
    expect(document.view.map(Math.round)).toEqual([0, 0, 595, 842]);
    expect(pages).toBe(1);
    expect(document.pages).toHaveLength(1);
    for (const words of [
      "A reading for Zoë Σοφία Наталья",
      "Thursday, 29 February 1996 · read today",
      "The office of the moon",
      "It was nearly full, and fine to walk by.",
      "Will I find fifty-five waffles?",
      "That is all.",
      "1 / 1",
    ]) {
      expect(document.pages[0]).toContain(words);
    }
  });

  it("tells its title, author and date", async () => {
    const { info } = await read((await typeset(TEXT, created)).pdf);
    expect(info).toMatchObject({
      Title: "A reading for Zoë Σοφία Наталья",
      Author: "Podbase reading worker",
      CreationDate: "D:20261122093000Z",
      Language: "en",
    });
  });

  it("is the same for the same text and date", async () => {
    const [one, other] = [await typeset(TEXT, created), await typeset(TEXT, created)];
    expect(Buffer.compare(one.pdf, other.pdf)).toBe(0);
  });

  it("embeds every glyph that it uses with its outline", async () => {
    const fonts = await fontsOf((await typeset(TEXT, created)).pdf);
    expect(fonts).toHaveLength(3);
    for (const font of fonts) {
      const outlines = Array.from(
        { length: font.numGlyphs },
        (_, id) => font.getGlyph(id).path.commands.length,
      );
      // the space alone is empty
      expect(outlines.filter((commands) => commands === 0).length).toBeLessThanOrEqual(1);
      expect(font.numGlyphs).toBeGreaterThan(5);
      expect(font.numGlyphs).toBeLessThan(200);
    }
  });

  it("shows a box for what the typeface does not have", async () => {
    const { pages } = await read(
      (await typeset("# For 山田 👩‍🚀 x\u0000y\n\nsoft\u00adhyphen", created)).pdf,
    );
    expect(pages[0]).toContain("For □□ □ x");
    expect(pages[0]).toContain("softhyphen");
  });

  it("goes on over as many pages as it takes, each with its number", async () => {
    const paragraph =
      "The same words come again and again, since nobody has thought of any others so far. ".repeat(4);
    const sections = Array.from({ length: 20 }, (_, index) => `## Section ${index + 1}\n\n${paragraph}`);
    const { pdf, pages } = await typeset(["# Long", ...sections].join("\n\n"), created);
    const document = await read(pdf);
    expect(pages).toBeGreaterThan(2);
    expect(document.pages).toHaveLength(pages);
    document.pages.forEach((text, index) => {
      expect(text).toContain(`${index + 1} / ${pages}`);
      // no heading stands alone at the foot of a page
      expect(text.trim()).not.toMatch(/Section \d+\s+Long\s+\d+ \/ \d+$/);
    });
    for (let section = 1; section <= 20; section++) {
      expect(document.pages.join("\n")).toContain(`Section ${section}\n`);
    }
  });

  it("sets a text without a heading, with lists, code and tables, and words wider than a line", async () => {
    const long = "Donaudampfschifffahrtsgesellschaft".repeat(6);
    const text = `Plain.\n\n2. two\n3. three\n\n- dot\n\n\`\`\`\nlet x = 1;\n\`\`\`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n${long}`;
    const { pages, info } = await read((await typeset(text, created)).pdf);
    expect(info.Title).toBe("Reading");
    for (const words of ["Plain.", "2.", "two", "3.", "three", "•", "dot", "let x = 1;", "a · b", "1 · 2"]) {
      expect(pages[0]).toContain(words);
    }
    expect(pages[0]?.replaceAll("\n", "")).toContain(long);
  });
});
