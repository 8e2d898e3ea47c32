/** `npm run screenshots [folder]`: the page in each of its states, at phone and desktop width, for people to look at. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { launchBrowser } from "./browser-launch.ts";
import { type Look, visitStates } from "./browser-states.ts";
import { startWatchingStack } from "./watching-stack.ts";

const LOOKS: Record<string, Look> = {
  "phone-light": { width: 390, height: 844, colorScheme: "light" },
  "phone-dark": { width: 390, height: 844, colorScheme: "dark" },
  "desktop-light": { width: 1280, height: 900, colorScheme: "light" },
  "desktop-dark": { width: 1280, height: 900, colorScheme: "dark" },
};

const folder = resolve(process.argv[2] ?? "out/screenshots");
await mkdir(folder, { recursive: true });
const [watching, browser] = await Promise.all([startWatchingStack(), launchBrowser()]);
try {
  for (const [name, look] of Object.entries(LOOKS)) {
    await visitStates(browser, watching, look, async (state, page) => {
      // A dialog covers what is in view, and nothing else of a long page.
      const fullPage = (await page.locator("dialog[open]").count()) === 0;
      await page.screenshot({ path: join(folder, `${name}-${state}.png`), fullPage });
    });
    console.log(`${name} is in ${folder}`);
  }
} finally {
  await browser.close();
  await watching.stop();
}
