export { startCron, type Worker, type WorkerOptions } from "./cron.ts";
export { type NetOptions, startNet } from "./net.ts";
