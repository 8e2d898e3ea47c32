import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { create, type Font } from "fontkit";
import type { PDFDocument, PDFFont } from "pdf-lib";
import type { Run } from "./markdown.ts";

/** The four faces of the reading's typeface. */
export type Face = "regular" | "italic" | "bold" | "boldItalic";

/** EB Garamond (SIL Open Font License 1.1): Latin, Greek and Cyrillic with their accents. */
const FACE_FILES: Readonly<Record<Face, string>> = {
  regular: "@expo-google-fonts/eb-garamond/400Regular/EBGaramond_400Regular.ttf",
  italic: "@expo-google-fonts/eb-garamond/400Regular_Italic/EBGaramond_400Regular_Italic.ttf",
  bold: "@expo-google-fonts/eb-garamond/600SemiBold/EBGaramond_600SemiBold.ttf",
  boldItalic: "@expo-google-fonts/eb-garamond/600SemiBold_Italic/EBGaramond_600SemiBold_Italic.ttf",
};

/** Shown for each character that the typeface does not have. */
const REPLACEMENT = "\u25a1";

/** A face embedded in one document. */
export type EmbeddedFace = {
  font: PDFFont;
  /** The text as it can be set: composed, and with a visible box for every character without a glyph. */
  settable(text: string): string;
};

/** The face in which a run is set. */
export function faceOf({ bold, italic }: Pick<Run, "bold" | "italic">): Face {
  if (bold) return italic ? "boldItalic" : "bold";
  return italic ? "italic" : "regular";
}

/** Embeds the given faces in a document, each cut down to the glyphs that get used. */
export async function embedFaces(
  document: PDFDocument,
  faces: Iterable<Face>,
): Promise<Map<Face, EmbeddedFace>> {
  document.registerFontkit(fontkitForPdfLib);
  const embedded = new Map<Face, EmbeddedFace>();
  for (const face of new Set(faces)) {
    const file = await readFile(createRequire(import.meta.url).resolve(FACE_FILES[face]));
    const glyphs = openFont(file);
    embedded.set(face, {
      font: await document.embedFont(file, { subset: true }),
      settable: (text) => settable(text, glyphs),
    });
  }
  return embedded;
}

/**
 * pdf-lib asks for the stream of fontkit 1, in whose subsets (also in @pdf-lib/fontkit 1.1.1) glyphs of this typeface
 * come out empty. fontkit 2 makes sound subsets and hands them over whole.
 */
const fontkitForPdfLib: Parameters<PDFDocument["registerFontkit"]>[0] = {
  create(file: Uint8Array) {
    const font = openFont(file);
    const createSubset = font.createSubset.bind(font);
    const withStream = () => {
      const subset = createSubset();
      return Object.assign(subset, { encodeStream: () => oneChunkStream(() => subset.encode()) });
    };
    return Object.assign(font, { createSubset: withStream }) as unknown as ReturnType<
      Parameters<PDFDocument["registerFontkit"]>[0]["create"]
    >;
  },
};

function oneChunkStream(encode: () => Uint8Array) {
  let onData: (chunk: Uint8Array) => void = () => {};
  const stream = {
    on(event: string, listener: (chunk?: Uint8Array) => void) {
      if (event === "data") onData = listener;
      if (event === "end") {
        onData(encode());
        listener();
      }
      return stream;
    },
  };
  return stream;
}

function openFont(file: Uint8Array): Font {
  const font = create(Buffer.from(file));
  if (font.type !== "TTF") throw new Error(`a single TrueType font is needed, this is ${font.type}`);
  return font;
}

function settable(text: string, font: Font): string {
  const clusters = new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text.normalize("NFC"));
  return [...clusters]
    .map(({ segment }) => {
      const visible = segment.replace(/\p{Default_Ignorable_Code_Point}/gu, "");
      const complete = [...visible].every((c) => font.hasGlyphForCodePoint(c.codePointAt(0) as number));
      return complete ? visible : REPLACEMENT;
    })
    .join("");
}
