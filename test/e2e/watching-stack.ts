import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@podbase/local";
import { type Route, startDemoStack } from "../../packages/cli/src/demo-stack.ts";
import { loadKeys } from "../../packages/local/src/keys.ts";
import { ROOT } from "./harness.ts";
import { createGatedWorkers, ROUTES } from "./watching-workers.ts";

/** A stack with the page, whose workers work at once and end when a test says so. */
export interface WatchingStack {
  stack: Stack;
  /** Lets these tasks of a job, all if none are named, come to their ends. */
  finish(job: string, ...tasks: Route[]): void;
  /** Lets the words of a job fail for good. */
  fail(job: string): void;
  /** While true, workers that take a job don't say so: it is shown as waiting for a worker. */
  muteStarts(muted: boolean): void;
  /** The statuses of a job and its tasks as the database has them. */
  truth(job: string): Promise<Record<string, string>>;
  /** The same access token with a life of this many seconds from now. */
  shortLived(token: string, seconds: number): Promise<string>;
  /** Keeps a line for who has to find out why a test failed. */
  note(line: string): void;
  /** What happened to the newest jobs, and those lines with the stack's own log: the latest last. */
  report(): Promise<string>;
  stop(): Promise<void>;
}

/** A job's history, as SQL explains it. */
interface Story {
  job: string;
  status: string;
  phase: string;
  timeline: { at: string; text: string }[];
}

const told = ({ job, status, phase, timeline }: Story): string =>
  [`job ${job}: ${status}, ${phase}`, ...timeline.map(({ at, text }) => `  ${at} ${text}`)].join("\n");

/** Lines that a report shows at most. */
const NOTES = 400;

/** Starts one on free ports, in a temporary folder that `stop` removes. */
export async function startWatchingStack({ page = true } = {}): Promise<WatchingStack> {
  const folder = await mkdtemp(join(tmpdir(), "podbase-watching-"));
  const dataDir = join(folder, "data");
  const workers = createGatedWorkers();
  const notes: string[] = [];
  const note = (line: string) => {
    notes.push(`${new Date().toISOString()} ${line}`);
    if (notes.length > NOTES) notes.shift();
  };
  const demo = await startDemoStack({
    projectDir: ROOT,
    dataDir,
    port: 0,
    stack: { watch: false },
    log: note,
    coldStartMs: 50,
    endpoint: { pickupMs: 5, queueDelayMs: 20, workersMax: 40, idleTimeoutMs: 600_000 },
    maxInFlight: 40,
    handlers: workers.handlers,
    ...(page ? { webDir: join(folder, "web") } : {}),
  });
  const { stack } = demo;
  return {
    stack,
    finish(job, ...tasks) {
      for (const task of tasks.length > 0 ? tasks : ROUTES) workers.open(job, task);
    },
    fail(job) {
      workers.fail(job);
      workers.open(job, "text");
    },
    muteStarts: workers.muteStarts,
    async truth(job) {
      const rows = await stack.sql<{ name: string; status: string }[]>`
        select 'job' as name, status::text from podbase.jobs where id = ${job}
        union all select name, status::text from podbase.tasks where job_id = ${job}`;
      return Object.fromEntries(rows.map(({ name, status }) => [name, status]));
    },
    async shortLived(token, seconds) {
      const keys = await loadKeys(dataDir);
      return keys.sign(await keys.verify(token), seconds);
    },
    note,
    async report() {
      const jobs = await stack.sql<{ story: Story }[]>`
        select podbase_private.explain(id, true) as story from podbase.jobs order by created_at desc limit 20`;
      return [...jobs.reverse().map(({ story }) => told(story)), ...notes].join("\n");
    },
    async stop() {
      workers.openAll();
      await demo.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
