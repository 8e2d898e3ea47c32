import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { StackInUseError } from "@podbase/local";
import { Command } from "commander";
import { type DemoStack, startDemoStack } from "./demo-stack.ts";
import { onSignal } from "./on-signal.ts";
import { runReading } from "./reading-run.ts";
import { wholeNumber } from "./whole-number.ts";

interface DemoFlags {
  once?: boolean;
  json?: boolean;
  port?: number;
  coldStart: number;
  dataDir: string;
  out: string;
}

/** `podbase demo`: the whole stack with its page until Ctrl-C, or one reading with `--once`. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("run everything here: Supabase, a RunPod twin, the reading worker and the page")
    .option("--once", "request one reading, save its artifacts, and end")
    .option("--json", "print one JSON object as the last line of stdout; words for people go to stderr")
    .option("--port <port>", "port of the gateway and the page (default: 54321, or a free one)", wholeNumber)
    .option("--cold-start <ms>", "how long a worker takes to wake", wholeNumber, 4000)
    .option("--data-dir <folder>", "where the data is kept", ".podbase/local")
    .option("--out <folder>", "where --once saves the artifacts", "out")
    .action((flags: DemoFlags) => (flags.once ? once(flags) : serve(flags)));
}

const printerFor = (flags: DemoFlags) => (line: string) =>
  flags.json ? console.error(line) : console.log(line);

function start(flags: DemoFlags, dataDir: string, log: (message: string) => void): Promise<DemoStack> {
  return startDemoStack({
    projectDir: process.cwd(),
    dataDir,
    coldStartMs: flags.coldStart,
    log,
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.once ? {} : { webDir: resolve(".podbase/web") }),
  });
}

async function once(flags: DemoFlags): Promise<void> {
  const print = printerFor(flags);
  print("Starting Postgres, Auth, REST, Storage, Realtime, Edge Functions and a RunPod twin …");
  let temporary: string | undefined;
  const demo = await start(flags, resolve(flags.dataDir), print).catch(async (error) => {
    if (!(error instanceof StackInUseError)) throw error;
    temporary = await mkdtemp(join(tmpdir(), "podbase-demo-"));
    print("Another demo is running on this folder; this one uses a temporary one.");
    return start(flags, temporary, print);
  });
  const stop = async () => {
    await demo.stop();
    if (temporary) await rm(temporary, { recursive: true, force: true });
  };
  onSignal(stop);
  try {
    print(`Ready at ${demo.stack.url}. A user signs up and asks for a reading; the GPU is cold.`);
    const report = await runReading(demo, resolve(flags.out), print);
    for (const artifact of report.artifacts) print(`saved ${artifact.path} (${artifact.bytes} bytes)`);
    const { request, webhookToClient } = report.latencyMs;
    const shown =
      webhookToClient === null ? "" : `, a finished task shown ${webhookToClient} ms after its end`;
    print(`${report.status}: request answered in ${request} ms${shown}`);
    if (flags.json) console.log(JSON.stringify(report));
    if (!report.ok) process.exitCode = 1;
  } finally {
    await stop();
  }
}

async function serve(flags: DemoFlags): Promise<void> {
  const print = printerFor(flags);
  print("Starting …");
  const demo = await start(flags, resolve(flags.dataDir), print).catch((error) => {
    if (!(error instanceof StackInUseError)) throw error;
    console.error(
      `A demo is already running on ${resolve(flags.dataDir)}. Choose another --data-dir for a second one.`,
    );
    process.exit(1);
  });
  onSignal(() => demo.stop());
  const { url, publishableKey, secretKeys, databaseUrl } = demo.stack;
  print(`
  Podbase is running.

  Page             ${url}
  API              ${url}  (REST, Auth, Storage, Realtime, Functions)
  Publishable key  ${publishableKey}
  RunPod twin      ${demo.simulator.url}
  Secrets          ${resolve(flags.dataDir)}/keys.json

  Ctrl-C ends it; the data stays for the next time.
`);
  if (flags.json) {
    console.log(
      JSON.stringify({
        url,
        publishableKey,
        secretKey: secretKeys.default,
        databaseUrl,
        runpodUrl: demo.simulator.url,
      }),
    );
  }
}
