import { setTimeout as delay } from "node:timers/promises";
import { createPodbase } from "@podbase/client";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { Sql } from "postgres";
import { countingSocket, type SocketCounts } from "./counting-socket.ts";
import { type MeasuredStack, now, startMeasuredStack } from "./measured-stack.ts";
import { INPUT } from "./payload.ts";
import { percentile, rounded } from "./statistics.ts";

/** Median and 95th percentile, in milliseconds. */
export interface Latency {
  p50: number;
  p95: number;
}

/** What an app, its user and its bill see, over the real layers. A job here has three tasks with an artifact each. */
export interface EndToEndFigures {
  jobs: number;
  tasksPerJob: number;
  /** From the app's call of request-job to its answer, less what RunPod's answers took of it. */
  requestJobMs: Latency;
  /** From RunPod's POST to the answer, which is given after the commit. */
  webhookMs: Latency;
  /** From RunPod's POST to the start of the transaction that takes the result. */
  webhookToDatabaseMs: Latency;
  /** From RunPod's POST to the callback of `jobs.watch` that shows the task completed with its output. */
  webhookToClientMs: Latency;
  perJob: {
    realtimeMessages: number;
    realtimeBytes: number;
    restReads: number;
    databaseCalls: number;
    functionCalls: { requestJob: number; webhook: number; worker: number; reconcile: number };
  };
  idle: { seconds: number; functionCalls: number };
}

const TASKS = 3;
const WARM_UP = 3;

/** Runs `jobs` readings one after another, then does nothing for `idleSeconds`. */
export async function measureEndToEnd(options: {
  projectDir: string;
  jobs: number;
  idleSeconds: number;
  /** Gets what ends the stack early. */
  onStart: (stop: () => Promise<void>) => void;
}): Promise<EndToEndFigures> {
  const measured = await startMeasuredStack(options.projectDir);
  options.onStart(measured.stop);
  const { stack } = measured;
  const { transport, counts } = countingSocket();
  let restReads = 0;
  const supabase = createClient(stack.url, stack.publishableKey, {
    auth: { persistSession: false },
    realtime: { transport: transport as never },
    global: {
      fetch: (input, init) => {
        if (String(input instanceof Request ? input.url : input).includes("/rest/v1/")) restReads += 1;
        return fetch(input, init);
      },
    },
  });
  try {
    await signUp(supabase);
    for (let n = 0; n < WARM_UP; n++) await runJob(supabase, measured);
    const count = counter(measured, counts, () => restReads);
    const before = await count();
    const runs: JobTimes[] = [];
    for (let n = 0; n < options.jobs; n++) runs.push(await runJob(supabase, measured));
    const after = await count();
    await delay(options.idleSeconds * 1000);
    const idle = await count();

    const perJob = (name: keyof Counts) => rounded((after[name] - before[name]) / options.jobs);
    const tasks = runs.flatMap((run) => run.tasks);
    return {
      jobs: options.jobs,
      tasksPerJob: TASKS,
      requestJobMs: latency(runs.map((run) => run.requestMs)),
      webhookMs: latency(tasks.map((task) => task.answerMs)),
      webhookToDatabaseMs: latency(tasks.map((task) => task.databaseMs)),
      webhookToClientMs: latency(tasks.map((task) => task.clientMs)),
      perJob: {
        realtimeMessages: perJob("messages"),
        realtimeBytes: perJob("bytes"),
        restReads: perJob("restReads"),
        databaseCalls: perJob("databaseCalls"),
        functionCalls: {
          requestJob: perJob("requestJob"),
          webhook: perJob("webhook"),
          worker: perJob("worker"),
          reconcile: perJob("reconcile"),
        },
      },
      idle: {
        seconds: options.idleSeconds,
        functionCalls: (["webhook", "worker", "reconcile"] as const).reduce(
          (sum, name) => sum + idle[name] - after[name],
          0,
        ),
      },
    };
  } finally {
    await supabase.auth.stopAutoRefresh();
    await supabase.realtime.disconnect();
    await measured.stop();
  }
}

interface JobTimes {
  requestMs: number;
  tasks: { answerMs: number; databaseMs: number; clientMs: number }[];
}

/** One reading as an app runs it: request and watch. */
async function runJob(supabase: SupabaseClient, measured: MeasuredStack): Promise<JobTimes> {
  const { stack, simulator, webhooks } = measured;
  // A client of its own, as a page that opens has it: its reads and its channel count too.
  const podbase = createPodbase(supabase);
  const firstEvent = simulator.history().length;
  const firstWebhook = webhooks.length;
  try {
    const askedAt = now();
    const { data: job, error } = await podbase.jobs.request("reading", INPUT);
    const answeredAt = now();
    if (error) throw error;
    const shownAt = new Map<string, number>();
    await new Promise<void>((resolve, reject) => {
      podbase.jobs.watch(
        job.id,
        (snapshot) => {
          for (const [name, task] of Object.entries(snapshot.tasks)) {
            if (task.status === "completed" && !shownAt.has(name)) shownAt.set(name, now());
            if (task.status === "failed") reject(new Error(`task ${name} failed`, { cause: task }));
          }
        },
        { onEnd: (reason) => (reason ? reject(reason) : resolve()) },
      );
    });
    const savedAt = await savedTimes(stack.sql, job.id);
    const tasks = webhooks.slice(firstWebhook).map(async ({ task, sentAt, answeredAt: answered }) => ({
      answerMs: (await answered) - sentAt,
      databaseMs: known(savedAt, task) - sentAt,
      clientMs: known(shownAt, task) - sentAt,
    }));
    return {
      requestMs:
        answeredAt - askedAt - runPodsPart(simulator.history().slice(firstEvent), askedAt, answeredAt),
      tasks: await Promise.all(tasks),
    };
  } finally {
    podbase.close();
  }
}

function known(times: Map<string, number>, task: string): number {
  const at = times.get(task);
  if (at === undefined) throw new Error(`the end of task ${task} was not seen`);
  return at;
}

/** Milliseconds between `from` and `to` in which a call of /run was with RunPod. */
function runPodsPart(
  events: { type: string; at: number; operation?: string }[],
  from: number,
  to: number,
): number {
  const times = (type: string) =>
    events.filter((event) => event.type === type && event.operation === "run").map((event) => event.at);
  const answers = times("answered");
  return times("received").reduce((sum, received, i) => {
    const answered = answers[i] ?? to;
    return sum + Math.max(0, Math.min(answered, to) - Math.max(received, from));
  }, 0);
}

async function savedTimes(sql: Sql, job: string): Promise<Map<string, number>> {
  const rows = await sql<{ name: string; at: number }[]>`
    select name, extract(epoch from finished_at)::float * 1000 as at from podbase.tasks where job_id = ${job}`;
  return new Map(rows.map((row) => [row.name, row.at]));
}

type Counts = Record<
  "messages" | "bytes" | "restReads" | "databaseCalls" | "requestJob" | "webhook" | "worker" | "reconcile",
  number
>;

/** Reads all counters at one moment. */
function counter(
  measured: MeasuredStack,
  socket: SocketCounts,
  restReads: () => number,
): () => Promise<Counts> {
  const { sql } = measured.stack;
  return async () => {
    // What functions call over REST, by the statements that came from outside.
    const [row] = await sql<{ jobs: number; reconcile: number; calls: number }[]>`
      select (select count(*)::int from podbase.jobs) as jobs,
        (select count(*)::int from net._http_response) + (select count(*)::int from net.http_request_queue)
          as reconcile,
        (select coalesce(sum(calls), 0)::int from extensions.pg_stat_statements
         where toplevel and query ~ 'podbase"?\\."?(submit_job|claim_|record_)') as calls`;
    return {
      messages: socket.messages,
      bytes: socket.bytes,
      restReads: restReads(),
      databaseCalls: row?.calls ?? 0,
      requestJob: row?.jobs ?? 0,
      webhook: measured.webhooks.length,
      worker: measured.workerCalls(),
      reconcile: row?.reconcile ?? 0,
    };
  };
}

async function signUp(supabase: SupabaseClient): Promise<void> {
  const { error } = await supabase.auth.signUp({
    email: `${crypto.randomUUID()}@example.com`,
    password: crypto.randomUUID(),
  });
  if (error) throw new Error("sign-up failed", { cause: error });
}

const latency = (values: number[]): Latency => ({
  p50: rounded(percentile(values, 0.5)),
  p95: rounded(percentile(values, 0.95)),
});
