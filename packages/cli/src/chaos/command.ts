import { randomBytes } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { BROKEN_OFF, onSignal } from "../on-signal.ts";
import { atLeast } from "../whole-number.ts";
import { type Arena, startArena } from "./arena.ts";
import { inShort, printCertificate } from "./certificate.ts";
import { FAULT_NAMES, FAULTS, type FaultName } from "./faults.ts";
import { runChaos } from "./run.ts";

interface ChaosFlags {
  jobs: number;
  seed?: string;
  fault?: FaultName;
  idle: number;
  json?: boolean;
}

/** Of an unknown name or a wrong number, as most commands have it. */
const USAGE_ERROR = 2;
const LONGEST_END_MS = 60_000;

/** `podbase chaos`: runs jobs while everything fails, and certifies what came of them. Ends with 1 if the guarantee broke. */
export function chaosCommand(): Command {
  const names = FAULT_NAMES.map((name) => `  ${name.padEnd(20)}${FAULTS[name].about}`);
  return new Command("chaos")
    .description(
      "run jobs through the whole stack while everything fails, and certify that none is lost or paid twice",
    )
    .option("--jobs <n>", "jobs to request, five a second", atLeast(1), 60)
    .option("--seed <seed>", "makes the same schedule of faults again (default: a fresh one)")
    .option("--fault <name>", "this class of faults alone", faultName)
    .option("--idle <seconds>", "how long to watch that idling calls nothing", atLeast(0), 5)
    .option("--json", "print one JSON object as the last line of stdout; words for people go to stderr")
    .addHelpText("after", `\nClasses of faults:\n${names.join("\n")}`)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR))
    .action(chaos);
}

function faultName(text: string): FaultName {
  if (!Object.hasOwn(FAULTS, text))
    throw new InvalidArgumentError(`It must be one of ${FAULT_NAMES.join(", ")}.`);
  return text as FaultName;
}

async function chaos(flags: ChaosFlags): Promise<void> {
  const print = flags.json ? console.error : console.log;
  const seed = flags.seed ?? randomBytes(4).toString("hex");
  print(`Seed ${seed}. Starting the stack …`);
  let interrupted = () => false;
  let arena: Arena | undefined;
  try {
    arena = await startArena(process.cwd(), {
      onStart(stop) {
        interrupted = onSignal(() => {
          console.error("Broken off; ending the stack …");
          return stop();
        }, BROKEN_OFF);
      },
    });
    const certificate = await runChaos(arena, {
      jobs: flags.jobs,
      seed,
      idleSeconds: flags.idle,
      log: print,
      ...(flags.fault === undefined ? {} : { fault: flags.fault }),
    });
    for (const line of printCertificate(certificate)) print(line);
    if (flags.json) console.log(JSON.stringify(inShort(certificate)));
    if (!certificate.guaranteeHeld) process.exitCode = 1;
  } catch (error) {
    // With its stack gone a run that was broken off fails somewhere; the signal's code is its end, not that.
    if (interrupted()) return;
    process.exitCode = 1;
    // Said before the stack is ended, which may take its time or fail as well.
    console.error("The run broke off:", error);
    for (const line of arena?.said ?? []) console.error(`  the stack: ${line}`);
  }
  await endInTime(arena);
}

/** Ends the stack; one that doesn't end within a minute is left to the kernel, which ends it with this process. */
async function endInTime(arena: Arena | undefined): Promise<void> {
  const timer = setTimeout(() => {
    console.error("The stack did not end; ending all the same.");
    process.exit();
  }, LONGEST_END_MS);
  await arena?.stop();
  clearTimeout(timer);
}
