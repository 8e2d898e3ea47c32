import type { Browser } from "playwright-core";
import { afterAll, afterEach } from "vitest";
import { launchBrowser } from "./browser-launch.ts";
import { startWatchingStack, type WatchingStack } from "./watching-stack.ts";

/**
 * A browser and the stack whose page it shows, for a whole test file. Awaited once, at the top of the file. A test that fails
 * prints what the stack and the pages have to say about it.
 */
export async function sceneOfFile(): Promise<{ browser: Browser; watching: WatchingStack }> {
  const watching = await startWatchingStack();
  afterAll(() => watching.stop());
  const browser = await launchBrowser();
  afterAll(() => browser.close());
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") console.log(await watching.report());
  });
  return { browser, watching };
}
