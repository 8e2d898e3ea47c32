import type { Page } from "playwright-core";
import { type Person, underway } from "./watching-page.ts";
import type { WatchingStack } from "./watching-stack.ts";

interface StoredSession {
  access_token: string;
  user: { id: string };
  expires_at: number;
}

/** The session as the page has stored it. */
const sessionOf = (page: Page): Promise<StoredSession> =>
  page.evaluate(() => {
    const key = Object.keys(localStorage).find((name) => name.endsWith("-auth-token")) ?? "";
    return JSON.parse(localStorage.getItem(key) ?? "");
  });

/** Who is signed in at a page. */
export const userOf = async (page: Page): Promise<string> => (await sessionOf(page)).user.id;

/**
 * Reloads a person's page with a token that lives for so many seconds; resolves with its end in seconds since the epoch. The
 * page is not told when that is, or it would renew the token before it used it.
 */
export const shortenSession = async (
  watching: WatchingStack,
  { page }: Person,
  seconds: number,
): Promise<number> => {
  const expiry = Math.floor(Date.now() / 1000) + seconds;
  const token = await watching.shortLived((await sessionOf(page)).access_token, seconds);
  await changeSession(page, { access_token: token });
  await page.reload();
  await underway(page);
  return expiry;
};

/** Changes the session as the page has stored it; supabase-js reads it at each use. */
export const changeSession = (page: Page, changes: Partial<StoredSession>): Promise<void> =>
  page.evaluate((changes) => {
    const key = Object.keys(localStorage).find((name) => name.endsWith("-auth-token")) ?? "";
    localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key) ?? ""), ...changes }));
  }, changes);
