import { expect, it } from "vitest";
import { asWords } from "../app/artifacts/kinds.ts";

it("a program's name is told in words, and the item of a map by its place", () => {
  expect(["cover_image-2", "largeFormat", "card[0]", "card[11]"].map(asWords)).toEqual([
    "Cover image 2",
    "Large format",
    "Card 1",
    "Card 12",
  ]);
});
