import type { Browser } from "playwright-core";
import { afterAll } from "vitest";
import { launchBrowser } from "./browser-launch.ts";
import { startWatchingStack, type WatchingStack } from "./watching-stack.ts";

/** A browser and the stack whose page it shows, for a whole test file. Awaited once, at the top of the file. */
export async function sceneOfFile(): Promise<{ browser: Browser; watching: WatchingStack }> {
  const watching = await startWatchingStack();
  afterAll(() => watching.stop());
  const browser = await launchBrowser();
  afterAll(() => browser.close());
  return { browser, watching };
}
