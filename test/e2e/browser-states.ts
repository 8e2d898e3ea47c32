import type { Browser, Page } from "playwright-core";
import { seat } from "./watching-page.ts";
import { insertPictures, picturesShown } from "./watching-pictures.ts";
import type { WatchingStack } from "./watching-stack.ts";

/** A width that people have, and what they like. */
export interface Look {
  width: number;
  height: number;
  colorScheme: "light" | "dark";
}

/** Soft words that the engine says about a wait. */
const NOTICES = ["worker_starting", "throttled", "no_workers", "slower_than_usual", "still_working"];

/** Has the engine say one of a job, with its estimate. */
const tellNotice = ({ stack }: WatchingStack, job: string, code: string) => stack.sql`
  with changed as (
    update podbase.jobs set version = version + 1, notice = jsonb_build_object(
      'code', ${code}::text, 'message', 'said by the server', 'since', now(), 'eta', now() + interval '100 s'
    ) where id = ${job} returning *
  )
  select podbase_private.announce(changed, changed.version, null, 'test', 'notice') from changed`;

/**
 * Leads a person through every state of the page, one after another, and calls `visit` in each. No other job may start
 * meanwhile: workers are muted for a while.
 */
export async function visitStates(
  browser: Browser,
  watching: WatchingStack,
  look: Look,
  visit: (state: string, page: Page) => Promise<void>,
): Promise<void> {
  const person = await seat(browser, watching, async () => {}, { signedIn: false });
  const { page } = person;
  await page.setViewportSize(look);
  // What moves would be in a different place in each picture, and half-faded text has half its contrast.
  await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
  const at = (id: string, status: string) =>
    page.locator(`[data-testid="${id}"][data-status="${status}"]`).waitFor();
  const phaseIs = (phase: string) =>
    page.locator(`[data-testid="job-phase"][data-phase="${phase}"]`).waitFor();
  const ask = async () => {
    await page.goto(`${person.network.url}/#/`);
    await page.getByTestId("name").fill("Grace Hopper");
    await page.getByTestId("birth-date").fill("1990-12-10");
    await page.getByTestId("question").fill("What should I do with the garden?");
    await page.getByTestId("request").click();
    await page.getByTestId("job-status").waitFor();
    return page.url().split("/").at(-1) ?? "";
  };

  await page.getByTestId("sign-in").click();
  await visit("welcome", page);
  await page.getByTestId("guest").click();
  await page.getByTestId("request").click();
  await visit("form-with-mistakes", page);

  watching.muteStarts(true);
  const first = await ask();
  await phaseIs("waiting_for_worker");
  await visit("waiting-for-worker", page);
  for (const code of NOTICES) {
    await tellNotice(watching, first, code);
    await page.locator(`[data-testid="notice"][data-notice="${code}"]`).waitFor();
    await visit(`notice-${code.replaceAll("_", "-")}`, page);
  }
  watching.muteStarts(false);
  await phaseIs("running");
  await visit("running", page);
  watching.finish(first, "text");
  await at("task-text", "completed");
  await page.locator('[data-testid="task-audio"][data-phase="running"]').waitFor();
  await visit("words-ready", page);
  watching.finish(first);
  await at("job-status", "completed");
  await page.getByTestId("play").waitFor();
  await page.getByTestId("pdf-link").waitFor();
  await visit("completed", page);
  await page.getByTestId("pdf-view").click();
  await page.locator('[data-testid="pdf-pages"] span').first().waitFor();
  await visit("pdf-open", page);
  await page.keyboard.press("Escape");

  const pictures = await insertPictures(watching, person);
  await page.goto(`${person.network.url}/#/readings/${pictures}`);
  await picturesShown(page, 3);
  await visit("pictures", page);
  await page.getByTestId("gallery-item").first().click();
  await page
    .locator('.lightbox [data-shown="true"] img')
    .evaluate((image: HTMLImageElement) => image.decode());
  await visit("picture-open", page);
  await page.keyboard.press("Escape");

  const second = await ask();
  await phaseIs("running");
  watching.fail(second);
  await at("job-status", "failed");
  await visit("failed", page);

  // As if the voice of the readings so far had taken minutes.
  await watching.stack.sql`
    update podbase_private.attempts set delay_ms = 40000, execution_ms = 90000
    where state = 'completed' and endpoint = 'reading-audio'`;
  const third = await ask();
  await phaseIs("running");
  await page.getByTestId("estimate").getByText("Likely in about").waitFor();
  await visit("estimate", page);
  await page.getByTestId("cancel").click();
  await page.locator('[data-testid="job-phase"]:not([data-phase="running"])').waitFor();
  await visit("canceling", page);
  watching.finish(third);
  await page.locator('[data-testid="job-phase"][data-phase="done"]').waitFor();

  await page.goto(`${person.network.url}/#/readings/${crypto.randomUUID()}`);
  await page.getByText("This reading isn't among yours").waitFor();
  await visit("not-found", page);
  await page.goto(`${person.network.url}/#/`);
  await person.askOffline();
  await visit("offline-with-history", page);
  await person.close();
}
