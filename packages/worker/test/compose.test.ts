import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMarkdown, plainText } from "../src/markdown.ts";
import { formatIso, fromDayNumber, parseDate } from "../src/reading/calendar.ts";
import { composeReading, type ReadingRequest } from "../src/reading/compose.ts";
import { escapeMarkdown, oneLine } from "../src/reading/markdown-escape.ts";

const today = parseDate("2026-11-22");
const zoe: ReadingRequest = {
  name: "Zoë Σοφία Наталья",
  birthDate: "1996-02-29",
  question: "Should I leave the orchestra?",
  today,
};
const paragraphs = (text: string) => parseMarkdown(text).filter((block) => block.kind === "paragraph");

describe("a reading", () => {
  it("tells what was reckoned", () => {
    const text = composeReading(zoe);
    for (const fact of [
      "# A reading for Zoë Σοφία Наталья",
      "Thursday, 29 February 1996",
      "30 years old",
      "11,224",
      "The sun stood in Pisces.",
      "waxing and more than half full",
      "The year of the Fire Rat",
      "## The number 2",
      "> Should I leave the orchestra?",
      "“orchestra”",
      "1 March 2027",
      "29 February 2028",
    ]) {
      expect(text).toContain(fact);
    }
  });

  it("is the same for the same request and another for another", () => {
    const requests = fc.record({
      name: fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 80 })
        .filter((name) => oneLine(name) !== ""),
      birthDate: fc.integer({ min: -40_000, max: 20_000 }).map((days) => formatIso(fromDayNumber(days))),
      question: fc.string({ unit: "grapheme", maxLength: 200 }),
      today: fc.constant(today),
    });
    fc.assert(
      fc.property(requests, requests, (one, other) => {
        expect(composeReading({ ...one })).toBe(composeReading(one));
        const key = (r: ReadingRequest) =>
          JSON.stringify([oneLine(r.name), r.birthDate, oneLine(r.question)]);
        fc.pre(key(one) !== key(other));
        expect(composeReading(one)).not.toBe(composeReading(other));
      }),
    );
  });

  it("has at least five paragraphs and no hole in them for any birth", () => {
    fc.assert(
      fc.property(fc.integer({ min: -700_000, max: 20_779 }), fc.string(), (days, question) => {
        const text = composeReading({ ...zoe, birthDate: formatIso(fromDayNumber(days)), question });
        expect(paragraphs(text).length).toBeGreaterThanOrEqual(8);
        expect(text).not.toMatch(/undefined|null|NaN|\[object/);
      }),
    );
  });

  it("varies with the question alone", () => {
    const texts = ["", "Will I travel?", "Why do I write?"].map((question) =>
      composeReading({ ...zoe, question }),
    );
    const bodies = texts.map((text) => paragraphs(text).map((block) => plainText(block.runs)));
    expect(new Set(bodies.map(String)).size).toBe(3);
  });

  it.each([
    ["2026-11-22", "Happy birthday", "on the birthday"],
    ["1990-11-22", "22 November 2027", "on the birthday, naming the next"],
    ["1990-11-23", "Tomorrow, on 23 November 2026", "on its eve"],
    ["2026-11-21", "A single day has gone by", "for a newborn"],
    ["1815-12-10", "210 years ago", "long after a life"],
    ["1954-02-03", "neighbouring Snake", "at the lunar new year"],
    ["1990-01-10", "the year of 1990 had not begun yet", "before the lunar new year"],
  ])("for a birth on %s says “%s” (%s)", (birthDate, words) => {
    expect(composeReading({ ...zoe, birthDate })).toMatch(new RegExp(words, "i"));
  });

  it("answers signs of danger with where help is, and with nothing playful about them", () => {
    const text = composeReading({ ...zoe, question: "Should I just end my life, or find work?" });
    const [, asked = ""] = text.split("## What you asked");
    const [answer = ""] = asked.split("## From here on");
    expect(answer).toContain("crisis line");
    expect(answer).not.toContain("coin");
    expect(answer).not.toContain("“");
  });
});

describe("a person's words in Markdown", () => {
  it.each([
    "**bold** _it_ `code` ~~gone~~",
    "<script>alert(1)</script>",
    "[click](https://example.com) ![x](y)",
    "https://example.com www.example.com me@example.com",
    "# not a heading",
    "- not a list",
    "1. not a list",
    "&amp; &#60; & co",
    "a\n\n# b\n\n---\n\nc",
    "back\\slash \\*",
    "=== | a | b |",
  ])("stay literal: %j", (words) => {
    for (const [prefix, kind] of [
      ["> ", "quote"],
      ["# A reading for ", "heading"],
    ] as const) {
      const blocks = parseMarkdown(`${prefix}${escapeMarkdown(words)}\n`);
      expect(blocks).toHaveLength(1);
      expect(blocks[0]).toMatchObject({ kind });
      const runs = blocks[0]?.kind === "rule" ? [] : (blocks[0]?.runs ?? []);
      expect(plainText(runs)).toBe(`${prefix === "> " ? "" : prefix.slice(2)}${oneLine(words)}`);
      expect(runs.some((run) => run.bold || run.italic)).toBe(false);
    }
  });

  it("stay literal whatever they are", () => {
    const ascii = fc.string({ unit: "grapheme-ascii", maxLength: 60 });
    fc.assert(
      fc.property(fc.oneof(ascii, fc.string({ unit: "binary", maxLength: 60 })), (words) => {
        const line = oneLine(words);
        fc.pre(line !== "");
        const [block, ...more] = parseMarkdown(`> ${escapeMarkdown(words)}\n`);
        expect(more).toEqual([]);
        expect(block).toMatchObject({ kind: "quote" });
        if (block?.kind === "quote") expect(plainText(block.runs)).toBe(line);
      }),
      { numRuns: 1_000 },
    );
  });

  it("lose what could hide or reorder text", () => {
    expect(oneLine(" a\u202eb\u0000c \u2066d\ud800 ")).toBe("abc d\ufffd");
  });
});
