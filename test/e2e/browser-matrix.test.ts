import type { Page } from "playwright-core";
import { afterAll, describe, expect, it } from "vitest";
import { sceneOfFile } from "./browser-scene.ts";
import { eventually } from "./harness.ts";
import { finishJobs, insertJobs } from "./watching-bulk.ts";
import {
  armTruth,
  type Person,
  seat,
  setHidden,
  shows,
  sleep,
  type Truth,
  underway,
} from "./watching-page.ts";
import type { Probe } from "./watching-probe.ts";
import { openProbe } from "./watching-probe-page.ts";
import { changeSession, shortenSession } from "./watching-session.ts";

/**
 * The promise is a second, and the measured times are printed. Machines that run tests are busy with other things too, so what
 * fails a test is a multiple, which still ends before the client would have looked by itself (every 15 s while joined).
 */
const PATIENCE_MS = 10_000;
/** A page that is loaded anew has all its code to fetch and run first, and no look of its own to be told from. */
const RELOAD_PATIENCE_MS = 30_000;
const COMPLETED: Truth = { job: "completed", text: "completed", audio: "completed", pdf: "completed" };

const { browser, watching } = await sceneOfFile();
const lines: string[] = [];
afterAll(() => {
  console.log(`\nuntil the page shows the truth, and reads of jobs it took\n${lines.join("\n")}`);
});

/** Notes what a scenario took and holds it to the promise. */
const judge = (scenario: string, ms: number, person: Person, readsBefore: number, patience = PATIENCE_MS) => {
  const reads = person.reads() - readsBefore;
  lines.push(
    `  ${scenario.padEnd(44)} ${ms.toFixed(0).padStart(5)} ms  ${String(reads).padStart(2)} reads (${person.reads()} in all)`,
  );
  expect(ms).toBeLessThan(patience);
};

/** Lets a job come to its end and waits until the database says so. */
const end = async (job: string): Promise<void> => {
  watching.finish(job);
  await eventually(async () => (await watching.truth(job)).job === "completed");
  expect(await watching.truth(job)).toEqual(COMPLETED);
};

/** A person with a reading that is being made. */
const seatAndAsk = async (prepare?: Parameters<typeof seat>[2]) => {
  const person = await seat(browser, watching, prepare);
  return { person, page: person.page, job: await person.ask() };
};

describe.concurrent("a person who watches a job", { timeout: 90_000 }, () => {
  it("sees the truth after a reload in the middle, and the end as it comes", async () => {
    const { person, page, job } = await seatAndAsk();
    watching.finish(job, "text");
    await eventually(async () => (await watching.truth(job)).audio === "processing");
    let before = person.reads();
    await page.reload({ waitUntil: "commit" });
    const reloaded = await armTruth(page, "navigation", { text: "completed", audio: "processing" });
    judge("reload mid-job", await reloaded.taken, person, before, RELOAD_PATIENCE_MS);
    await page.locator('[data-connection="live"]').waitFor();
    before = person.reads();
    await end(job);
    const { taken } = await armTruth(page, "now", COMPLETED);
    judge("watched all along, from the end", await taken, person, before);
    await person.close();
  });

  it("sees the truth when a tab that was hidden for the whole job is shown", async () => {
    const { person, page, job } = await seatAndAsk();
    const { taken } = await armTruth(page, "shown", COMPLETED);
    const wake = await sleep(person);
    await end(job);
    const before = person.reads();
    await wake();
    judge("hidden and asleep for the whole job", await taken, person, before);
    await person.close();
  });

  it("sees the truth when the network is back after a minute", async () => {
    const person = await seat(browser, watching, (context) => context.clock.install());
    const { page } = person;
    const job = await person.ask();
    await person.goOffline();
    await page.locator('[data-connection="offline"]').waitFor();
    await end(job);
    await page.clock.runFor("01:00");
    expect(await shows(page, COMPLETED)).toBe(false);
    const { taken } = await armTruth(page, "online", COMPLETED);
    const before = person.reads();
    await person.goOnline();
    judge("network off for a minute", await taken, person, before);
    await person.close();
  });

  it("sees the truth in both of two tabs", async () => {
    const { person, page, job } = await seatAndAsk();
    const second = await person.context.newPage();
    await second.goto(page.url());
    await underway(second);
    const before = person.reads();
    await end(job);
    const taken = await Promise.all(
      [page, second].map(async (tab) => (await armTruth(tab, "now", COMPLETED)).taken),
    );
    judge("two tabs, from the end, the later one", Math.max(...taken), person, before);
    await person.close();
  });

  it("tells a second person nothing of the same ids", async () => {
    const { person, page, job } = await seatAndAsk();
    const other = await seat(browser, watching);
    await other.page.goto(`${other.network.url}/${new URL(page.url()).hash}`);
    await other.page.getByText("This reading isn't among yours").waitFor();
    const before = other.reads();
    await end(job);
    await page.locator('[data-testid="job-status"][data-status="completed"]').waitFor();
    await setHidden(other.page, true);
    await setHidden(other.page, false);
    await other.page.getByText("This reading isn't among yours").waitFor();
    expect(await other.page.getByTestId("job-status").count()).toBe(0);
    expect(other.frames.join()).not.toContain(job);
    lines.push(
      `  ${"a second person with the same address".padEnd(44)}     sees nothing; ${other.reads() - before} reads`,
    );
    await Promise.all([person.close(), other.close()]);
  });

  it("sees the truth when the token ran out while the phone slept", async () => {
    const { person, page, job } = await seatAndAsk();
    const expiry = await shortenSession(watching, person, 8);
    const { taken } = await armTruth(page, "shown", COMPLETED);
    await changeSession(page, { expires_at: expiry });
    const wake = await sleep(person);
    await end(job);
    await eventually(() => Date.now() / 1000 > expiry + 1);
    const before = person.reads();
    await wake();
    judge("token expired mid-job", await taken, person, before);
    await person.close();
  });

  it("sees the truth after a token could not be renewed for a while", async () => {
    const { person, page, job } = await seatAndAsk();
    await person.context.route("**/auth/v1/token**", (route) => route.abort("connectionrefused"));
    const expiry = await shortenSession(watching, person, 8);
    await changeSession(page, { expires_at: expiry });
    // Realtime ends the channel whose token has expired; REST would answer 401.
    await page.locator('[data-connection="polling"]').waitFor();
    await setHidden(page, true);
    await end(job);
    expect(await shows(page, COMPLETED)).toBe(false);
    await person.context.unroute("**/auth/v1/token**");
    const before = person.reads();
    const { taken } = await armTruth(page, "shown", COMPLETED);
    await setHidden(page, false);
    judge("the same, Auth away until now", await taken, person, before);

    await person.close();
  });

  it("asks while offline and is at their one reading when the network is back", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    await person.askOffline();
    await person.goOnline();
    await underway(page);
    expect(await page.getByTestId("history-item").count()).toBe(1);
    await person.close();
  });

  it("sees 200 jobs end at once", async () => {
    const person = await seat(browser, watching);
    const { page } = person;
    await openProbe(person);
    const user = await page.evaluate(async () => {
      const { supabase, podbase } = (window as unknown as { probe: Probe }).probe;
      const { data } = await supabase.auth.getUser();
      podbase.jobs.watch({ limit: 200 }, ({ jobs }) => Object.assign(window, { jobs }));
      return data.user?.id ?? "";
    });
    await insertJobs(watching, user, 200);
    await countOf(page, "queued", 200);
    await page.waitForFunction(
      () => (window as unknown as { probe: Probe }).probe.podbase.connection === "live",
    );
    const before = person.reads();
    const from = performance.now();
    await finishJobs(watching, user);
    await countOf(page, "completed", 200);
    judge("200 jobs at once, from their end", performance.now() - from, person, before);
    await person.close();
  });
});

/** Waits until so many jobs of the probe have the status. */
const countOf = (page: Page, status: string, count: number) =>
  page.waitForFunction(
    ({ status, count }) => {
      const { jobs = [] } = window as unknown as { jobs?: { status: string; tasks: object }[] };
      return jobs.filter((job) => job.status === status).length === count;
    },
    { status, count },
    { polling: 20 },
  );

// What concerns the whole stack, and so everybody who watches: one after another.
describe("a person who watches while Realtime is in trouble", { timeout: 90_000 }, () => {
  it("sees the truth while it is down, and after it is back", async () => {
    const { person, page, job } = await seatAndAsk();
    const { sql, realtime } = watching.stack;
    const down = setInterval(realtime.disconnectAll, 50);
    await sql`select pg_terminate_backend(active_pid) from pg_replication_slots where active`;
    await page.locator('[data-connection="polling"]').waitFor();
    await end(job);
    let before = person.reads();
    const watched = await armTruth(page, "now", COMPLETED);
    judge("Realtime down, from the end", await watched.taken, person, before);
    clearInterval(down);

    const hidden = await seatAndAsk();
    await setHidden(hidden.page, true);
    realtime.disconnectAll();
    await sql`select pg_terminate_backend(active_pid) from pg_replication_slots where active`;
    await end(hidden.job);
    before = hidden.person.reads();
    const shown = await armTruth(hidden.page, "shown", COMPLETED);
    await setHidden(hidden.page, false);
    judge("Realtime killed and restarted while hidden", await shown.taken, hidden.person, before);
    await Promise.all([person.close(), hidden.person.close()]);
  });

  it("sees the truth when shown although the open socket is silent", async () => {
    const { person, page, job } = await seatAndAsk();
    watching.stack.realtime.silence(true);
    await setHidden(page, true);
    await end(job);
    expect(await shows(page, COMPLETED)).toBe(false);
    const before = person.reads();
    const { taken } = await armTruth(page, "shown", COMPLETED);
    await setHidden(page, false);
    judge("socket open but silent", await taken, person, before);
    watching.stack.realtime.silence(false);
    await person.close();
  });

  it("sees the truth soon, without being shown anew, although the open socket has gone silent", async () => {
    const { person, page, job } = await seatAndAsk();
    watching.stack.realtime.silence(true);
    const before = person.reads();
    const { taken } = await armTruth(page, "now", COMPLETED);
    await end(job);
    judge("the same, watched all along, from its silence", await taken, person, before);
    watching.stack.realtime.silence(false);
    await person.close();
  });
});
