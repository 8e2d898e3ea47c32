/**
 * The reading worker as a command: `main.ts <text|audio|pdf>` reads one RunPod job as JSON from stdin and writes what
 * the handler returns as one JSON line, the last line of stdout. A failed job is a result as well (`{ "error": … }`),
 * so the exit code is 0 whenever there is a result line; 2 for wrong usage.
 */
import { text as readAll } from "node:stream/consumers";
import { type Handler, runHandler } from "./companion.ts";

/** Each is loaded by itself, since a cold start pays for everything that is imported. */
const handlers: Readonly<Record<string, () => Promise<Handler>>> = {
  text: async () => (await import("./text.ts")).textHandler,
  audio: async () => (await import("./audio.ts")).audioHandler,
  pdf: async () => (await import("./pdf.ts")).pdfHandler,
};

async function resultFor(load: () => Promise<Handler>): Promise<Record<string, unknown>> {
  let job: unknown;
  try {
    job = JSON.parse(await readAll(process.stdin));
  } catch {
    return { error: "invalid input: the job is not JSON" };
  }
  return await runHandler(job, await load());
}

const load = Object.hasOwn(handlers, process.argv[2] ?? "") ? handlers[process.argv[2] as string] : undefined;
if (load) {
  process.stdout.write(`${JSON.stringify(await resultFor(load))}\n`);
  // espeak-ng, run in this process, sets it as well
  process.exitCode = 0;
} else {
  process.stderr.write(`usage: main.ts <${Object.keys(handlers).join("|")}> < job.json\n`);
  process.exitCode = 2;
}
