import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ENDPOINT_DEFAULTS, PLATFORM_DEFAULTS } from "../src/index.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

/** The rows of the tables under a heading of the README, their header rows left out. */
const rowsUnder = (heading: string): string[][] => {
  const [, part = ""] = read("../README.md").split(`\n## ${heading}\n`);
  const [section = ""] = part.split("\n## ");
  const lines = section.split("\n").filter((line) => line.startsWith("| "));
  const isRule = (line = "") => line.startsWith("| ---");
  return lines
    .filter((line, n) => !isRule(line) && !isRule(lines[n + 1]))
    .map((row) => row.slice(2, -2).split(" | "));
};

test("every row of the conformance table has its source, and tests that are there by that name", () => {
  const rows = rowsUnder("Conformance");
  expect(rows.length).toBeGreaterThan(60);
  const missing = rows.flatMap(([behaviour = "", source = "", tests = ""]) => {
    if (behaviour === "" || source === "") return [behaviour];
    return tests.split("<br>").filter((name) => {
      const [file = "", ...sentence] = name.split(": ");
      return !read(`${file}.test.ts`).includes(JSON.stringify(sentence.join(": ")));
    });
  });
  expect(missing).toEqual([]);
});

test("every setting that the table of unknown points names is one", () => {
  const known = [ENDPOINT_DEFAULTS, PLATFORM_DEFAULTS, PLATFORM_DEFAULTS.webhook].flatMap(Object.keys);
  const named = rowsUnder("Not known of RunPod, so chosen").flatMap(([, , setting = ""]) =>
    [...setting.matchAll(/`(?:webhook\.)?(\w+)/g)].map(([, name]) => name),
  );
  expect(named.length).toBeGreaterThan(25);
  expect(named.filter((name) => name === undefined || !known.includes(name))).toEqual([]);
});
