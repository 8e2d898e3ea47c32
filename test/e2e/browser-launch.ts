import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/**
 * The Chromium that comes inside an npm package runs on Linux x64; elsewhere an installed Chrome does. Without either
 * the test fails and says so, since a page that nobody looked at is not tested.
 */
export async function launchBrowser(): Promise<Browser> {
  if (process.platform === "linux" && process.arch === "x64") {
    return chromium.launch({
      executablePath: await unpackChromium(),
      // Not the flags that the package proposes for small hosts: in one process, closing a context takes the browser
      // with it, and with --disable-web-security a page that CORS forbids would pass.
      args: ["--no-sandbox", "--mute-audio"],
      headless: true,
    });
  }
  return chromium.launch({ channel: "chrome", headless: true });
}

/**
 * Unpacks the package's Chromium once a user of this machine. The package would put it straight into the temporary
 * folder, where another user's copy, or another process's half of one, would be taken for it.
 */
async function unpackChromium(): Promise<string> {
  const folder = join(tmpdir(), `podbase-chromium-${process.getuid?.() ?? "user"}`);
  if (!existsSync(folder)) {
    const draft = await mkdtemp(`${folder}-`);
    const { TMPDIR } = process.env;
    process.env.TMPDIR = draft;
    try {
      const { default: packaged } = await import("@sparticuz/chromium");
      await packaged.executablePath();
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    }
    // Somebody else may have been faster; one copy is as good as another.
    await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
  }
  process.env.FONTCONFIG_PATH = join(folder, "fonts");
  return join(folder, "chromium");
}
