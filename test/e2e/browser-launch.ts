import { type Browser, chromium } from "playwright-core";

/**
 * The Chromium that comes inside an npm package runs on Linux x64; elsewhere an installed Chrome does. Without either
 * the test fails and says so, since a page that nobody looked at is not tested.
 */
export async function launchBrowser(): Promise<Browser> {
  if (process.platform === "linux" && process.arch === "x64") {
    const { default: packaged } = await import("@sparticuz/chromium");
    return chromium.launch({
      executablePath: await packaged.executablePath(),
      // Not the flags that the package proposes for small hosts: in one process, closing a context takes the browser
      // with it, and with --disable-web-security a page that CORS forbids would pass.
      args: ["--no-sandbox", "--mute-audio"],
      headless: true,
    });
  }
  return chromium.launch({ channel: "chrome", headless: true });
}
