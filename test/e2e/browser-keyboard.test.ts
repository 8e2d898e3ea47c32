import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { sceneOfFile } from "./browser-scene.ts";
import { seat } from "./watching-page.ts";
import { insertPictures, picturesShown } from "./watching-pictures.ts";

const { browser, watching } = await sceneOfFile();

/** What has the focus, as its test id, else its text or tag. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: element } = document;
    return element?.getAttribute("data-testid") ?? element?.textContent?.trim() ?? "nothing";
  });

/** Presses Tab until the focus is there; fails after a round of the page. */
const tabTo = async (page: Page, testId: string) => {
  const passed: string[] = [];
  for (let step = 0; step < 40; step++) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (now === testId) return passed;
    passed.push(now);
  }
  throw new Error(`Tab never came to ${testId}, only to ${passed.join(", ")}`);
};

describe("a person without a mouse", () => {
  it("asks, watches, plays, opens the PDF, and finds it again in the history", async () => {
    const person = await seat(browser, watching, async () => {}, { signedIn: false });
    const { page } = person;
    expect(await tabTo(page, "guest")).toEqual(
      expect.arrayContaining(["Skip to the content", "email", "password", "sign-in", "sign-up"]),
    );
    await page.keyboard.press("Enter");
    await page.getByTestId("name").waitFor();

    // In the form's order; what is wrong gets the focus.
    await tabTo(page, "request");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.getAttribute("name") === "name");
    await page.keyboard.type("Grace Hopper");
    await tabTo(page, "birth-date");
    await page.keyboard.type("12101990");
    expect((await tabTo(page, "voice")).at(-1)).toBe("question");
    await tabTo(page, "request");
    await page.keyboard.press("Enter");
    await page.locator('[data-testid="task-text"][data-phase="running"]').waitFor();
    // The new page says where they are.
    expect(await focused(page)).toBe("A reading for Grace Hopper");

    const job = page.url().split("/").at(-1) ?? "";
    const spoken = await listenToAnnouncements(page);
    watching.finish(job);
    await page.locator('[data-testid="job-status"][data-status="completed"]').waitFor();
    await page.getByTestId("play").waitFor();
    await page.getByTestId("pdf-view").waitFor();

    await tabTo(page, "play");
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Pause the recording" }).waitFor();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Play the recording" }).waitFor();
    await tabTo(page, "position");
    await page.keyboard.press("End");
    await page.locator('[data-testid="position"][aria-valuetext="0:03 of 0:03"]').waitFor();

    await tabTo(page, "pdf-view");
    await page.keyboard.press("Enter");
    await page.locator('[data-testid="pdf-pages"]').getByText("A reading for Grace").waitFor();
    expect(await page.evaluate(() => document.activeElement?.closest("dialog") !== null)).toBe(true);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await focused(page)).toBe("pdf-view");

    await tabTo(page, "history-item");
    await page.keyboard.press("Enter");
    expect(page.url()).toContain(job);
    // Statuses and finished parts, each once: no percentages, no seconds.
    const said = await spoken();
    expect(said.length).toBeGreaterThan(0);
    expect(said.length).toBeLessThan(8);
    expect(said.join()).not.toMatch(/%|\d/);
    await person.close();
  }, 120_000);

  it("keeps their place when the button that they pressed goes away", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    const job = await person.ask();
    await tabTo(page, "cancel");
    await page.keyboard.press("Enter");
    watching.finish(job);
    await page.getByTestId("retry").waitFor();
    expect(await focused(page)).toBe("A reading for Grace Hopper");
    await tabTo(page, "retry");
    await page.keyboard.press("Enter");
    await page.getByTestId("retry").waitFor({ state: "detached" });
    expect(await focused(page)).toBe("A reading for Grace Hopper");
    await person.close();
  }, 120_000);

  it("goes through a job's pictures, each with its words, and is back where they were", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    const id = await insertPictures(watching, person);
    await page.goto(`${person.network.url}/#/readings/${id}`);
    await picturesShown(page, 3);
    expect(
      await page.locator(".gallery img").evaluateAll((all) => all.map((one) => one.getAttribute("alt"))),
    ).toEqual([
      "A garden at dusk, with one lit window",
      "The same garden in rain",
      "My garden, in the evening, picture 3 of 3",
    ]);
    await tabTo(page, "gallery-item");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const caption = page.getByTestId("lightbox-caption");
    const says = (text: string) => caption.getByText(text).waitFor();
    await says("The same garden in rain");
    await page.keyboard.press("ArrowRight");
    await says("picture 3 of 3");
    await page.keyboard.press("ArrowRight");
    await says("A garden at dusk");
    await page.keyboard.press("End");
    await says("picture 3 of 3");
    await page.keyboard.press("Home");
    await says("A garden at dusk");
    await page.locator('.lightbox [data-shown="true"] img').waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    expect(await page.evaluate(() => document.activeElement?.querySelector("img")?.alt)).toBe(
      "The same garden in rain",
    );
    await person.close();
  }, 120_000);

  it("sees a picture whose address has died after all", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    const id = await insertPictures(watching, person);
    let refused = 0;
    await person.context.route("**/object/sign/**first_sketch?token=*", (route) =>
      refused++ === 0 ? route.fulfill({ status: 400, body: "expired" }) : route.continue(),
    );
    await page.goto(`${person.network.url}/#/readings/${id}`);
    await picturesShown(page, 3);
    expect(refused).toBe(2);
    await person.close();
  }, 120_000);
});

/** Keeps what live regions say from now on; resolves with what gives it. */
async function listenToAnnouncements(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const said: string[] = [];
    const observer = new MutationObserver((changes) => {
      for (const { target } of changes) {
        const element = target instanceof Element ? target : target.parentElement;
        const region = element?.closest('[role="status"], [role="alert"], [aria-live]');
        const text = region?.textContent?.trim();
        if (text && said.at(-1) !== text) said.push(text);
      }
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    Object.assign(window, { said });
  });
  return () => page.evaluate(() => (window as unknown as { said: string[] }).said);
}
