import { describe, expect, it } from "vitest";
import { emptyDraft } from "../app/ask/draft.ts";
import { localToday, placeIssues, validateDraft } from "../app/ask/validate.ts";

const good = { name: "Ada", birthDate: "1815-12-10", question: "", voice: "alto" as const };
const today = "2026-03-01";

describe("validateDraft", () => {
  it("takes a draft with everything that is needed", () => {
    expect(validateDraft(good, today)).toEqual({});
    expect(validateDraft({ ...good, birthDate: today }, today)).toEqual({});
  });

  it("asks for a name and a day of birth", () => {
    expect(Object.keys(validateDraft(emptyDraft, today))).toEqual(["name", "birthDate"]);
    expect(validateDraft({ ...good, name: "  " }, today).name).toContain("Who is the reading for?");
  });

  it("refuses days that are not in the calendar or still to come", () => {
    expect(validateDraft({ ...good, birthDate: "2025-02-30" }, today).birthDate).toContain(
      "isn't in the calendar",
    );
    expect(validateDraft({ ...good, birthDate: "2026-03-02" }, today).birthDate).toContain("still to come");
  });

  it("says by how much a text is too long, not counting blanks around it", () => {
    expect(validateDraft({ ...good, question: `${"a".repeat(507)}  ` }, today).question).toContain(
      "by 7 characters",
    );
    expect(validateDraft({ ...good, name: "a".repeat(81) }, today).name).toContain("it has 81");
  });
});

describe("placeIssues", () => {
  it("puts the server's issues at their fields, the first of each, and keeps the rest", () => {
    const placed = placeIssues([
      { path: ["input", "birthDate"], message: "no such day" },
      { path: ["input", "birthDate"], message: "second" },
      { path: ["input"], message: "unrecognised key" },
      { path: ["kind"], message: "too long" },
    ]);
    expect(placed).toEqual({ errors: { birthDate: "no such day" }, rest: ["unrecognised key", "too long"] });
  });
});

describe("localToday", () => {
  it("is the day where the person is, not in London", () => {
    expect(localToday(new Date(2026, 0, 2, 0, 5))).toBe("2026-01-02");
    expect(localToday(new Date(2026, 0, 2, 23, 55))).toBe("2026-01-02");
  });
});
