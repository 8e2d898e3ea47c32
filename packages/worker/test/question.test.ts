import { describe, expect, it } from "vitest";
import { questionTraits } from "../src/reading/question.ts";

describe("a question", () => {
  it.each([
    ["Should I marry him?", "love", "should"],
    ["Will my daughter forgive me?", "family", "will"],
    ["When will I find a new job?", "work", "when"],
    ["Why am I always afraid?", "self", "why"],
    ["How do I pay off my debts?", "money", "how"],
    ["Who will help me with my novel?", "making", "will"],
    ["Which university is right?", "learning", "which"],
    ["Is the surgery a good idea?", "health", "yes-or-no"],
    ["What is left now that she died?", "grief", "what"],
    ["Is moving abroad wise?", "home", "yes-or-no"],
    ["Werde ich jemals glücklich?", "open", "open"],
    ["Should I tell my wife that I want to die?", "heavy", "should"],
  ])("%j is about %s and put as %s", (question, theme, form) => {
    expect(questionTraits(question)).toMatchObject({ theme, form });
  });

  it("has a telling word, if it has any", () => {
    expect(questionTraits("Should I leave the orchestra?").word).toBe("orchestra");
    expect(questionTraits("Θα βρω την ευτυχία;").word).toBe("ευτυχία");
    expect(questionTraits("Why me?").word).toBeNull();
  });
});
