import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { sceneOfFile } from "./browser-scene.ts";
import { visitStates } from "./browser-states.ts";

const LOOKS = [
  { width: 390, height: 844, colorScheme: "light" },
  { width: 1280, height: 900, colorScheme: "dark" },
] as const;

const { browser, watching } = await sceneOfFile();

describe("the page", () => {
  it("has no serious accessibility problem in any state, on phones by day and on desktops by night", async () => {
    const problems: string[] = [];
    await visitStates(browser, watching, LOOKS[0], async (state, page) => {
      await page.evaluate(axe.source);
      for (const { width, height, colorScheme } of LOOKS) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const { violations, passes } = await page.evaluate(() =>
          (window as unknown as { axe: typeof axe }).axe.run({ resultTypes: ["violations"] }),
        );
        expect(passes.length).toBeGreaterThan(10);
        for (const { id, impact, nodes } of violations) {
          if (impact !== "serious" && impact !== "critical") continue;
          const where = nodes.map(({ target }) => target.join(" ")).join(", ");
          problems.push(`${state}, ${colorScheme}: ${id} at ${where}`);
        }
      }
    });
    expect(problems).toEqual([]);
  }, 120_000);
});
