import type { Browser } from "playwright-core";
import { afterAll, afterEach } from "vitest";
import { launchBrowser } from "./browser-launch.ts";
import { startWatchingStack, type WatchingStack } from "./watching-stack.ts";

/** Characters of a page and of a report that the error of a failed test holds. */
const SHOWN = 800;
const LATEST = 6000;

/**
 * A browser and the stack whose page it shows, for a whole test file. Awaited once, at the top of the file. A test that fails
 * prints what the stack and the pages have to say about it; the latest of it is in its error too, for logs of which only
 * the end is kept.
 */
export async function sceneOfFile(): Promise<{ browser: Browser; watching: WatchingStack }> {
  const watching = await startWatchingStack();
  afterAll(() => watching.stop());
  const browser = await launchBrowser();
  afterAll(() => browser.close());
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    for (const page of browser.contexts().flatMap((context) => context.pages())) {
      const words = await page.locator("body").innerText({ timeout: 2000 }).catch(String);
      watching.note(`shows at ${page.url()}: ${words.replace(/\s+/g, " ").slice(0, SHOWN)}`);
    }
    const report = await watching.report();
    console.log(report);
    for (const error of task.result.errors ?? []) error.message += `\n${report.slice(-LATEST)}`;
  });
  return { browser, watching };
}
