import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { sceneOfFile } from "./browser-scene.ts";
import { finishJobs, insertJobs } from "./watching-bulk.ts";
import { fillIn, seat, setOnline } from "./watching-page.ts";
import { changeSession, userOf } from "./watching-session.ts";

const { browser, watching } = await sceneOfFile();

describe("the page of a person", { timeout: 90_000 }, () => {
  it("keeps what is long in its place on the smallest phone, and what is written from the right", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    await page.setViewportSize({ width: 320, height: 640 });
    const ask = async (name: string, question: string) => {
      await page.goto(`${person.network.url}/#/`);
      await page.getByTestId("name").fill(name);
      await page.getByTestId("birth-date").fill("1990-12-10");
      await page.getByTestId("question").fill(question);
      await page.getByTestId("request").click();
      await page.getByTestId("job-status").waitFor();
    };
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await ask("W".repeat(80), "x".repeat(200));
    expect(await overflow()).toBe(0);
    await ask("نور الهدى", "ماذا أفعل بالحديقة؟");
    expect(await overflow()).toBe(0);
    const direction = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).direction);
    expect(await direction(".reading-question")).toBe("rtl");
    expect(await direction("h1 bdi")).toBe("rtl");
    expect(await direction(".history-name")).toBe("rtl");
    expect(await direction("h1")).toBe("ltr");
    await person.close();
  });

  it("takes a question that is asked in a browser which is wrong to think itself offline", async () => {
    const person = await seat(browser, watching);
    await setOnline(person.context, false);
    const job = await person.ask();
    expect(await watching.truth(job)).toMatchObject({ job: "processing" });
    await person.close();
  });

  it("leaves a person alone who writes the next question when the one before is sent", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    await person.askOffline();
    await page.getByTestId("question").fill("And then?");
    await person.goOnline();
    await page.getByTestId("history-item").waitFor();
    await page.getByTestId("waiting-requests").waitFor({ state: "detached" });
    expect(await page.getByTestId("question").inputValue()).toBe("And then?");
    await person.close();
  });

  it("finds its stack by itself as soon as that can be reached", async () => {
    const page = await browser.newPage();
    await page.route("**/podbase.json", (route) => route.abort());
    await page.goto(watching.stack.url);
    await page.getByText("The stars are out of reach").waitFor();
    await page.unroute("**/podbase.json");
    await page.getByTestId("guest").waitFor();
    await page.close();
  });

  it("says so when it breaks, instead of going white, and works again once it is loaded anew", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    await person.ask();
    await page.route("**/rpc/find_jobs", async (route) => {
      const answer = await route.fetch();
      const jobs: object[] = await answer.json();
      const notice = { code: "odd", message: { no: "text" }, since: "2026-01-01T00:00:00Z" };
      await route.fulfill({ response: answer, json: jobs.map((job) => ({ ...job, notice })) });
    });
    await page.reload();
    await page.getByText("This page lost its thread").waitFor();
    await page.unroute("**/rpc/find_jobs");
    await page.getByRole("button", { name: "Load it again" }).click();
    await page.getByTestId("job-status").waitFor();
    await person.close();
  });

  it("sends what the last visit left, also when this one begins at a reading", async () => {
    const person = await seat(browser, watching);
    const job = await person.ask();
    await person.page.goto(`${person.network.url}/#/`);
    await person.askOffline();
    await person.page.close();
    person.network.restore();
    const page = await person.context.newPage();
    await page.goto(`${person.network.url}/#/readings/${job}`);
    await page.getByTestId("history-item").nth(1).waitFor();
    await person.close();
  });

  it("leaves a person alone who went to another reading while asking", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    const job = await person.ask();
    await page.goto(`${person.network.url}/#/`);
    const open = await askWithoutAnswer(page);
    await page.getByTestId("history-item").click();
    await page.getByTestId("job-status").waitFor();
    open();
    await page.getByTestId("history-item").nth(1).waitFor();
    expect(page.url()).toContain(job);
    await person.close();
  });

  it("keeps what the next person writes while a question of the last one is still being sent", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    const open = await askWithoutAnswer(page);
    await page.getByTestId("sign-out").click();
    await page.getByTestId("guest").click();
    await page.getByTestId("question").fill("And I?");
    const answered = page.waitForResponse("**/request-job");
    open();
    await (await answered).finished();
    // Whatever the page does about it is done before what it is asked next.
    await page.getByTestId("name").fill("Ada");
    expect(await page.getByTestId("question").inputValue()).toBe("And I?");
    await person.close();
  });

  it("asks who somebody is when another tab threw the session away", async () => {
    const person = await seat(browser, watching);
    await person.ask();
    const other = await person.context.newPage();
    await other.goto(person.network.url);
    await other.evaluate(() => localStorage.clear());
    await person.page.getByTestId("guest").waitFor();
    await person.close();
  });

  it("fetches a PDF's pages when the network is back, and stays where what draws them is gone", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    const job = await person.ask();
    watching.finish(job);
    await page.getByTestId("pdf-view").waitFor();
    await person.goOffline();
    const failed = page.waitForEvent("requestfailed", (request) => request.url().includes("/storage/"));
    await page.getByTestId("pdf-view").click();
    await failed;
    await page.getByText("Fetching the pages…").waitFor();
    await page.route("**/pdf-pages*", (route) => route.abort());
    await person.goOnline();
    await page.getByText("These pages can't be shown here").waitFor();
    await page.unroute("**/pdf-pages*");
    await page.reload();
    await page.getByTestId("pdf-view").click();
    await page.locator('[data-testid="pdf-pages"] span').first().waitFor();
    await person.close();
  });

  it("tells of three jobs that are being made, counts the others, and goes back in the history on demand", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    const items = (count: number) =>
      page.waitForFunction(
        (count) => document.querySelectorAll('[data-testid="history-item"]').length === count,
        count,
      );
    const user = await userOf(page);
    await insertJobs(watching, user, 70);
    await page.reload();
    await items(30);
    expect(await page.locator(".resume").count()).toBe(3);
    await page.getByText("And 27 more at least").waitFor();
    const more = page.getByRole("button", { name: "Show older ones" });
    await more.click();
    await items(60);
    await more.click();
    await items(70);
    expect(await more.count()).toBe(0);
    await finishJobs(watching, user);
    await page.waitForFunction(() => document.querySelectorAll(".resume").length === 0);
    await person.close();
  });

  it("prints the words by day, whatever the hour, and not the controls", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    const job = await person.ask();
    watching.finish(job);
    await page.getByTestId("reading-text").waitFor();
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const printed = await page.evaluate(() => ({
      ink: getComputedStyle(document.querySelector("h1") as Element).color,
      hidden: [".steps", ".history", "header", "footer"].filter(
        (selector) => getComputedStyle(document.querySelector(selector) as Element).display !== "none",
      ),
      words: (document.querySelector('[data-testid="reading-text"]') as HTMLElement).offsetHeight,
    }));
    expect(printed).toEqual({ ink: "rgb(32, 37, 58)", hidden: [], words: expect.any(Number) });
    expect(printed.words).toBeGreaterThan(100);
    await person.close();
  });

  it("waits while a session can't be renewed, instead of asking who somebody is", async () => {
    const person = await seat(browser, watching, (context) => context.clock.install());
    const { page } = person;
    await person.context.route("**/auth/v1/token**", (route) => route.abort("connectionrefused"));
    await changeSession(page, { expires_at: 1 });
    await page.reload();
    await page.clock.runFor("01:10");
    await page.getByText("your readings are here once you are back").waitFor();
    expect(await page.getByTestId("guest").count()).toBe(0);
    await person.context.unroute("**/auth/v1/token**");
    await page.clock.runFor("00:30");
    await page.getByTestId("name").waitFor();
    await person.close();
  });
});

/** Asks for a reading and holds the request up until the returned function is called. */
async function askWithoutAnswer(page: Page): Promise<() => void> {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  await page.route("**/request-job", async (route) => {
    await gate;
    await route.continue();
  });
  await fillIn(page, "Grace Hopper");
  return open;
}
