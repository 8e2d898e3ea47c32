import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "./browser-launch.ts";
import { startOwnDemo } from "./harness.ts";

let demo: Awaited<ReturnType<typeof startOwnDemo>>;
let browser: Browser;
let webDir: string;
beforeAll(async () => {
  webDir = await mkdtemp(join(tmpdir(), "podbase-web-"));
  [demo, browser] = await Promise.all([
    startOwnDemo({ coldStartMs: 1500, webDir, realWorker: true }),
    launchBrowser(),
  ]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await demo?.stop();
  if (webDir && existsSync(webDir)) await rm(webDir, { recursive: true, force: true });
});

const byId = (page: Page, id: string) => page.getByTestId(id);
const statusIs = (page: Page, id: string, status: string) =>
  page.locator(`[data-testid="${id}"][data-status="${status}"]`).waitFor({ timeout: 90_000 });

async function signUp(page: Page): Promise<void> {
  await page.goto(demo.stack.url);
  await byId(page, "email").fill(`${crypto.randomUUID()}@example.com`);
  await byId(page, "password").fill("correct horse battery");
  await byId(page, "sign-up").click();
  await byId(page, "name").waitFor();
}

async function ask(page: Page, name: string): Promise<void> {
  await byId(page, "name").fill(name);
  await byId(page, "birth-date").fill("1990-12-10");
  await byId(page, "question").fill("What should I do with the garden?");
  await byId(page, "request").click();
}

describe("the page", () => {
  it("takes a person from sign-up to a reading that can be read, heard and opened, through a reload in the middle", async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));

    await signUp(page);
    await ask(page, "Grace Hopper");
    await page
      .locator('[data-testid="job-phase"][data-phase="waiting_for_worker"]')
      .waitFor({ timeout: 30_000 });
    expect(page.url()).toContain("#/readings/");

    await page.reload();
    await byId(page, "job-status").waitFor();
    await statusIs(page, "task-text", "completed");
    await byId(page, "reading-text").getByText("Grace Hopper").first().waitFor();

    await statusIs(page, "job-status", "completed");
    const heard = await byId(page, "audio").evaluate(async (element) => {
      const audio = element as HTMLAudioElement;
      audio.muted = true;
      await audio.play();
      await new Promise((resolve) => audio.addEventListener("timeupdate", resolve, { once: true }));
      return { duration: audio.duration, failed: audio.error?.message ?? null };
    });
    expect(heard.failed).toBeNull();
    expect(heard.duration).toBeGreaterThan(10);

    const href = await byId(page, "pdf-link").getAttribute("href");
    const pdf = await fetch(new URL(href ?? "", page.url()));
    expect(pdf.headers.get("content-type")).toBe("application/pdf");
    expect(Buffer.from(await pdf.arrayBuffer()).toString("latin1", 0, 5)).toBe("%PDF-");
    expect(problems).toEqual([]);
    await context.close();
  }, 240_000);

  it("shows a second person nothing of the first one's readings, not even by their address", async () => {
    const first = await browser.newContext();
    const mine = await first.newPage();
    await signUp(mine);
    await ask(mine, "Private Person");
    await byId(mine, "job-status").waitFor();
    const address = mine.url();

    const second = await browser.newContext();
    const theirs = await second.newPage();
    await signUp(theirs);
    await theirs.goto(address);
    await theirs
      .getByText(/not.*(found|here)|no such|can’t find|cannot find/i)
      .first()
      .waitFor();
    expect(await byId(theirs, "history-item").count()).toBe(0);
    expect(await theirs.content()).not.toContain("Private Person");
    await byId(mine, "cancel").click();
    await mine
      .locator(
        '[data-testid="job-status"][data-status="canceled"], [data-testid="job-status"][data-status="completed"]',
      )
      .waitFor({ timeout: 60_000 });
    await Promise.all([first.close(), second.close()]);
  }, 180_000);
});
