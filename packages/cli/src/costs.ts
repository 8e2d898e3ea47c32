import { Command } from "commander";
import { costRows, costsOf } from "./bench/costs.ts";
import { measureEndToEnd } from "./bench/end-to-end.ts";
import { table } from "./bench/table.ts";
import { onSignal } from "./on-signal.ts";
import { atLeast, wholeNumber } from "./whole-number.ts";

interface CostFlags {
  json?: boolean;
  jobs: number;
  idle: number;
}

/** `podbase costs`: counts what readings use of Supabase, one after another over the whole stack, and prices it. */
export function costsCommand(): Command {
  return new Command("costs")
    .description("count what a job uses of Supabase over the whole stack, and say what that costs")
    .option("--json", "print one JSON object as the last line of stdout; words for people go to stderr")
    .option("--jobs <n>", "how many readings to run", atLeast(1), 20)
    .option("--idle <seconds>", "how long to do nothing after them, counting on", wholeNumber, 60)
    .action(costs);
}

async function costs(flags: CostFlags): Promise<void> {
  const print = flags.json ? console.error : console.log;
  print(`Running ${flags.jobs} readings, then nothing for ${flags.idle} s …`);
  const figures = await measureEndToEnd({
    projectDir: process.cwd(),
    jobs: flags.jobs,
    idleSeconds: flags.idle,
    onStart: onSignal,
  });
  const { tasksPerJob, perJob, idle } = figures;
  const lines = costsOf(figures);
  const rows = [
    ["calls", "a job"],
    ["request-job", String(perJob.functionCalls.requestJob)],
    ["runpod-webhook, by RunPod", String(perJob.functionCalls.webhook)],
    ["runpod-webhook, by workers", String(perJob.functionCalls.worker)],
    ["reconcile", String(perJob.functionCalls.reconcile)],
  ];
  print(`\nA reading of ${tasksPerJob} tasks:\n`);
  for (const line of [...table(rows), "", ...table(costRows(lines))]) print(line);
  print(
    `\nMessages: ${perJob.realtimeBytes} bytes. Reads over REST: ${perJob.restReads}. Idle for ${idle.seconds} s: ${idle.functionCalls} function calls.`,
  );
  if (flags.json) console.log(JSON.stringify({ tasksPerJob, perJob, idle, costs: lines }));
}
