import { Command } from "commander";
import { BROKEN_OFF, onSignal } from "../on-signal.ts";
import { printSheet } from "./print-sheet.ts";
import { measureSheet } from "./sheet.ts";

interface BenchFlags {
  json?: boolean;
  quick?: boolean;
  stack: boolean;
  profile?: boolean;
}

/** `podbase bench`: the load sheet. A missed budget is a finding, not a failure: it ends with 0 all the same. */
export function benchCommand(): Command {
  return new Command("bench")
    .description("measure the engine beside a bare queue table, and the whole stack, against the budgets")
    .option("--json", "print one JSON object as the last line of stdout; words for people go to stderr")
    .option("--quick", "small numbers: shows that all of it can be measured, not what it costs")
    .option("--no-stack", "only the database, without the stack of functions, Realtime and client")
    .option("--profile", "also say what each statement of a lifecycle costs")
    .action(bench);
}

async function bench(flags: BenchFlags): Promise<void> {
  const print = flags.json ? console.error : console.log;
  const stops: (() => Promise<void>)[] = [];
  const interrupted = onSignal(async () => {
    for (const stop of stops) await stop();
  }, BROKEN_OFF);
  const sheet = await measureSheet({
    projectDir: process.cwd(),
    quick: flags.quick ?? false,
    stack: flags.stack,
    profile: flags.profile ?? false,
    log: (line) => console.error(line),
    onStart: (stop) => stops.push(stop),
  }).catch((error) => {
    // With its servers gone a run that was broken off fails somewhere; the signal's code is its end, not that.
    if (!interrupted()) throw error;
  });
  if (!sheet) return;
  for (const line of printSheet(sheet)) print(line);
  if (flags.json) console.log(JSON.stringify(sheet));
}
