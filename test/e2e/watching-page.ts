import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Network, openNetwork } from "./watching-network.ts";
import type { WatchingStack } from "./watching-stack.ts";

/** What a page has to show: the status of the job and of its tasks, by name. */
export type Truth = Record<string, string>;

/** A person at a browser of their own, with a network of their own, signed in as a guest. */
export interface Person {
  context: BrowserContext;
  page: Page;
  network: Network;
  /** Requests for jobs so far, by all pages of the person. */
  reads(): number;
  /** Frames that Realtime sent to any of the person's pages. */
  frames: string[];
  /** Asks for a reading on the page; resolves with the job's id once its work has begun and Realtime is joined. */
  ask(): Promise<string>;
  /** Cuts the network and asks for a reading; resolves when the page says that the request waits. */
  askOffline(): Promise<void>;
  /** Cuts the network, which the page is told of. */
  goOffline(): Promise<void>;
  goOnline(): Promise<void>;
  close(): Promise<void>;
}

/** Seats a person in front of the page, signed in unless told otherwise. `prepare` may add to the context before the page is opened. */
export async function seat(
  browser: Browser,
  { stack, note }: WatchingStack,
  prepare: (context: BrowserContext) => Promise<void> = async () => {},
  { signedIn = true } = {},
): Promise<Person> {
  const network = await openNetwork(stack.url);
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  await context.route("**/podbase.json", (route) =>
    route.fulfill({ json: { url: network.url, publishableKey: stack.publishableKey } }),
  );
  // Eight browsers beside other tests on two cores: what is slow is not lost.
  context.setDefaultTimeout(60_000);
  await context.addInitScript(followSurroundings);
  await prepare(context);
  let reads = 0;
  const frames: string[] = [];
  context.on("request", (request) => {
    if (request.url().includes("/rest/v1/rpc/find_jobs")) reads++;
  });
  context.on("page", (page) => {
    page.on("websocket", (socket) => {
      note(`${network.url} opens a socket`);
      socket.on("framereceived", ({ payload }) => void frames.push(String(payload)));
      socket.on("close", () => note(`${network.url} a socket closed`));
    });
    page.on("pageerror", (error) => note(`${network.url} ${error.stack}`));
    page.on("console", (message) => note(`${network.url} says ${message.text()}`));
  });
  context.on("requestfailed", (request) =>
    note(`${network.url} ${request.method()} ${request.url()}: ${request.failure()?.errorText}`),
  );
  context.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (/^\/(auth|rest|functions)\//.test(pathname)) note(`${network.url} ${pathname}: ${response.status()}`);
  });
  const page = await context.newPage();
  await page.goto(network.url);
  await page.getByTestId("guest").waitFor();
  if (signedIn) {
    await page.getByTestId("guest").click();
    await page.getByTestId("name").waitFor();
  }
  const goOffline = () => {
    network.cut();
    return setOnline(context, false);
  };
  return {
    context,
    page,
    network,
    reads: () => reads,
    frames,
    async ask() {
      await fillIn(page, "Grace Hopper");
      await underway(page);
      return page.url().split("/").at(-1) ?? "";
    },
    goOffline,
    goOnline() {
      network.restore();
      return setOnline(context, true);
    },
    async askOffline() {
      await goOffline();
      await fillIn(page, "Offline");
      await page.getByTestId("waiting-requests").waitFor();
    },
    async close() {
      await context.close();
      await network.close();
    },
  };
}

/** Fills the form in and sends it. */
export async function fillIn(page: Page, name: string): Promise<void> {
  await page.getByTestId("name").fill(name);
  await page.getByTestId("birth-date").fill("1990-12-10");
  await page.getByTestId("request").click();
}

/** Resolves when the page shows work on the words and hears of it from Realtime. */
export async function underway(page: Page): Promise<void> {
  await page.locator('[data-testid="task-text"][data-phase="running"]').waitFor();
  await page.locator('[data-connection="live"]').waitFor();
}

/**
 * Runs in the page: headless tabs are always shown, so hiding one is told to the page by hand. So is the network, or tests
 * would depend on that of the machine: without any, a browser takes itself for offline. All functions in here are anonymous or
 * methods: tsx wraps others in a helper that the page has not.
 */
function followSurroundings(): void {
  let hidden = false;
  let online = true;
  Object.defineProperties(Document.prototype, {
    hidden: {
      configurable: true,
      get() {
        return hidden;
      },
    },
    visibilityState: {
      configurable: true,
      get() {
        return hidden ? "hidden" : "visible";
      },
    },
  });
  Object.defineProperty(Navigator.prototype, "onLine", {
    configurable: true,
    get() {
      return online;
    },
  });
  for (const type of ["online", "offline"]) {
    window.addEventListener(type, (event) => event.isTrusted && event.stopImmediatePropagation(), true);
  }
  Object.assign(window, {
    setHidden(value: boolean) {
      hidden = value;
      document.dispatchEvent(new Event("visibilitychange"));
    },
    setOnline(value: boolean) {
      online = value;
      window.dispatchEvent(new Event(value ? "online" : "offline"));
    },
  });
}

/** Tells all pages of a person that they are offline, or online again. */
export async function setOnline(context: BrowserContext, online: boolean): Promise<void> {
  for (const page of context.pages()) {
    await page.evaluate(
      (value) => (window as unknown as { setOnline(v: boolean): void }).setOnline(value),
      online,
    );
  }
}

/** Tells the page that its tab was hidden or is shown again. */
export const setHidden = (page: Page, hidden: boolean): Promise<void> =>
  page.evaluate((value) => (window as unknown as { setHidden(v: boolean): void }).setHidden(value), hidden);

/**
 * Lets a phone sleep: nothing of the page runs, and its connections die unheard. Resolves, once it sleeps, with what wakes
 * it: the page runs on where it was, a moment before it is told that it is shown.
 */
export async function sleep({ context, page, network }: Person): Promise<() => Promise<void>> {
  const debug = await context.newCDPSession(page);
  await setHidden(page, true);
  // Chromium's own freezing does nothing to headless pages; a paused debugger holds everything.
  const paused = new Promise((resolve) => debug.once("Debugger.paused", resolve));
  await debug.send("Debugger.enable");
  await debug.send("Debugger.pause");
  await paused;
  network.cut();
  return async () => {
    network.restore();
    await debug.send("Debugger.resume");
    await debug.detach();
    await setHidden(page, false);
  };
}

/** Whether the page shows the truth at this moment. */
export const shows = (page: Page, truth: Truth): Promise<boolean> => page.evaluate(showsInPage, truth);

function showsInPage(truth: Truth): boolean {
  return Object.entries(truth).every(([name, status]) => {
    const id = name === "job" ? "job-status" : `task-${name}`;
    return document.querySelector(`[data-testid="${id}"]`)?.getAttribute("data-status") === status;
  });
}

/**
 * Milliseconds, by the page's own clock, from an event (or from the start of the page's navigation) until the page
 * shows the truth. The returned promise holds the measurement; resolve the outer one before causing the event.
 */
export async function armTruth(
  page: Page,
  event: "shown" | "online" | "now" | "navigation",
  truth: Truth,
): Promise<{ taken: Promise<number> }> {
  await page.evaluate(
    ({ event, truth, source }) => {
      const isTrue = new Function(`return ${source}`)() as (truth: Truth) => boolean;
      const taken = new Promise<number>((resolve) => {
        const begin = (from: number) => {
          const check = () => {
            if (!isTrue(truth)) return;
            observer.disconnect();
            resolve(performance.now() - from);
          };
          const observer = new MutationObserver(check);
          observer.observe(document, { subtree: true, childList: true, attributes: true });
          check();
        };
        if (event === "now") begin(performance.now());
        else if (event === "navigation") begin(0);
        else {
          const [target, name] = event === "online" ? [window, "online"] : [document, "visibilitychange"];
          const happened = () => {
            if (document.hidden) return;
            target.removeEventListener(name, happened);
            begin(performance.now());
          };
          target.addEventListener(name, happened);
        }
      });
      Object.assign(window, { taken });
    },
    { event, truth, source: showsInPage.toString() },
  );
  return { taken: page.evaluate(() => (window as unknown as { taken: Promise<number> }).taken) };
}
