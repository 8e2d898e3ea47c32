import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

export { audioHandler } from "./audio.ts";
export { type Handler, type HandlerTools, type RunSettings, runHandler } from "./companion.ts";
export { pdfHandler } from "./pdf.ts";
export { StoppedError } from "./progress.ts";
export { textHandler } from "./text.ts";

/** The handlers of the reading worker. */
export type HandlerName = "text" | "audio" | "pdf";

/**
 * The command, with arguments, that runs one handler as a process of its own, from any working directory: one RunPod
 * job as JSON on stdin, one JSON result as the last line of stdout, log lines on stderr.
 */
export function handlerCommand(name: HandlerName): [string, ...string[]] {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return [process.execPath, "--import", loader, fileURLToPath(new URL("main.ts", import.meta.url)), name];
}
