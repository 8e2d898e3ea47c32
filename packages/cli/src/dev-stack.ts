import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FunctionChange, MigrationError, watchMigrations } from "@podbase/local";
import { type DevWeb, devWeb } from "@podbase/web";
import { type DemoStack, startDemoStack } from "./demo-stack.ts";

/** How a stack for development is started. */
export interface DevOptions {
  /** Folder that contains `supabase/`. */
  projectDir: string;
  /** Where everything is kept until a migration changes. */
  dataDir: string;
  /** Gateway port; a free one is taken when it is busy. */
  port?: number;
  /** How long a worker takes to wake, in ms. */
  coldStartMs: number;
  /** What was reloaded, and what the stack has to say. */
  log: (line: string) => void;
}

/** The demo's stack with the page from its sources, kept in step with what is edited. */
export interface DevStack {
  /** The stack of now; a changed migration replaces it, with the same keys and, if it is still free, the same port. */
  readonly demo: DemoStack;
  stop(): Promise<void>;
}

/** All that a database and its migrations leave in the data folder; keys and port stay, so that URLs stay good. */
const OF_THE_DATABASE = ["postgres", "objects", "runpod.json"];

/**
 * Starts it and watches: functions and the packages they use restart by themselves with the next call, the page reloads
 * in the browser, and a changed migration means a fresh database, users and jobs included. A migration that Postgres
 * refuses leaves nothing running until the next edit. Throws StackInUseError, and MigrationError at the first start.
 */
export async function startDevStack(options: DevOptions): Promise<DevStack> {
  const { projectDir, dataDir, log } = options;
  let page: { url: string; web: DevWeb } | undefined;
  let demo: DemoStack | undefined;
  let current: DemoStack;

  const start = async () => {
    demo = await startDemoStack({
      projectDir,
      dataDir,
      coldStartMs: options.coldStartMs,
      log,
      // Later starts take the port of the first.
      ...(options.port === undefined || page ? {} : { port: options.port }),
      stack: {
        prepare: () => discardOtherMigrations(options),
        site: async (request) => page?.web.fetch(request) ?? new Response("Starting …", { status: 503 }),
        onFunctionsChange: (change) => log(functionsLine(change)),
      },
    });
    current = demo;
    const { url, publishableKey } = demo.stack;
    if (page?.url !== url) {
      await page?.web.close();
      page = { url, web: await devWeb({ url, publishableKey }) };
    }
  };
  const stopDemo = async () => {
    const running = demo;
    demo = undefined;
    await running?.stop();
  };

  await start();
  // One restart at a time: an edit during one is looked at after it.
  let turn = Promise.resolve();
  let stopped = false;
  const unwatch = await watchMigrations(projectDir, () => {
    turn = turn.then(async () => {
      if (stopped || (await isUpToDate(options))) return;
      log("supabase/migrations changed: starting again with a fresh database …");
      await stopDemo();
      await start();
      log(`The database is new, and empty: ${current.stack.databaseUrl}`);
    });
    turn = turn.catch((error) => {
      log(error instanceof MigrationError ? error.message : String(error.stack));
      log("Nothing runs until the next edit of supabase/migrations.");
    });
  });
  return {
    get demo() {
      return current;
    },
    async stop() {
      stopped = true;
      await unwatch();
      await turn;
      await stopDemo();
      await page?.web.close();
    },
  };
}

const functionsLine = (change: FunctionChange): string =>
  change.kind === "function"
    ? `function ${change.name} changed: its next call runs the new code`
    : "shared code changed: the next call of each function runs the new code";

const stampFile = (dataDir: string): string => join(dataDir, "migrations.sha256");

async function isUpToDate({ projectDir, dataDir }: DevOptions): Promise<boolean> {
  const stamp = await readFile(stampFile(dataDir), "utf8").catch(() => undefined);
  return stamp === (await hashOfMigrations(projectDir));
}

/** Empties the folder unless its database was made by the migrations as they are now. */
async function discardOtherMigrations(options: DevOptions): Promise<void> {
  if (await isUpToDate(options)) return;
  for (const part of OF_THE_DATABASE) await rm(join(options.dataDir, part), { recursive: true, force: true });
  await mkdir(options.dataDir, { recursive: true });
  await writeFile(stampFile(options.dataDir), await hashOfMigrations(options.projectDir));
}

async function hashOfMigrations(projectDir: string): Promise<string> {
  const folder = join(projectDir, "supabase", "migrations");
  const hash = createHash("sha256");
  for (const name of (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort()) {
    hash.update(`${name}\0`).update(await readFile(join(folder, name)));
  }
  return hash.digest("hex");
}
