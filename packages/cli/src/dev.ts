import { resolve } from "node:path";
import { StackInUseError } from "@podbase/local";
import { Command } from "commander";
import { startDevStack } from "./dev-stack.ts";
import { onSignal } from "./on-signal.ts";
import { wholeNumber } from "./whole-number.ts";

interface DevFlags {
  json?: boolean;
  port?: number;
  coldStart: number;
  dataDir: string;
}

/** `podbase dev`: the demo's stack, kept in step with the sources until Ctrl-C. */
export function devCommand(): Command {
  return new Command("dev")
    .description("run everything here and reload functions, migrations and page when they are edited")
    .option("--json", "print one JSON object to stdout when it is ready; words for people go to stderr")
    .option("--port <port>", "port of the gateway and the page (default: 54321, or a free one)", wholeNumber)
    .option("--cold-start <ms>", "how long a worker takes to wake", wholeNumber, 1000)
    .option("--data-dir <folder>", "where the data is kept until a migration changes", ".podbase/dev")
    .action(dev);
}

async function dev(flags: DevFlags): Promise<void> {
  const print = flags.json ? console.error : console.log;
  const dataDir = resolve(flags.dataDir);
  print("Starting …");
  const running = await startDevStack({
    projectDir: process.cwd(),
    dataDir,
    coldStartMs: flags.coldStart,
    log: (line) => print(`${new Date().toLocaleTimeString("en-GB")}  ${line}`),
    ...(flags.port === undefined ? {} : { port: flags.port }),
  }).catch((error) => {
    if (!(error instanceof StackInUseError)) throw error;
    console.error(`Something is already running on ${dataDir}. Choose another --data-dir for a second one.`);
    process.exit(1);
  });
  onSignal(() => running.stop());
  const { stack, simulator } = running.demo;
  print(`
  Podbase is running, and watches what you edit.

  Page             ${stack.url}  (packages/web: the browser reloads)
  Functions        ${stack.url}/functions/v1  (supabase/functions, packages: new code with the next call)
  Database         ${stack.databaseUrl}  (supabase/migrations: a fresh database)
  Publishable key  ${stack.publishableKey}
  RunPod twin      ${simulator.url}
  Secrets          ${dataDir}/keys.json

  Ctrl-C ends it; the data stays until a migration changes.
`);
  if (flags.json) {
    const { url, publishableKey, databaseUrl } = stack;
    console.log(JSON.stringify({ url, publishableKey, databaseUrl, runpodUrl: simulator.url }));
  }
}
