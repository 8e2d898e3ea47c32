import { type Database, defineJob, Engine, type Report, RunPod } from "@podbase/core";
import type { Sql } from "postgres";
import { engine, ROUTE } from "./engine-calls.ts";
import { INPUT, OUTPUT, userId } from "./payload.ts";
import { type BenchServer, SCHEMA, using } from "./server.ts";

/** SQL functions by the name of the port's method, with the kind of their one argument. */
const FUNCTIONS: Record<keyof Database, [name: string, takes: "json" | "plain"]> = {
  submitJob: ["submit_job", "json"],
  submitJobs: ["submit_jobs", "json"],
  claimTasks: ["claim_tasks", "plain"],
  recordSubmissions: ["record_submissions", "json"],
  recordReport: ["record_report", "json"],
  claimPolls: ["claim_polls", "plain"],
  claimCancels: ["claim_cancels", "plain"],
  recordCancels: ["record_cancels", "plain"],
  claimFileDeletes: ["claim_file_deletes", "plain"],
  recordFileDeletes: ["record_file_deletes", "plain"],
  recordHint: ["record_hint", "json"],
  claimHealth: ["claim_health", "plain"],
  recordHealth: ["record_health", "json"],
  recordPass: ["record_pass", "json"],
};

const anything = {
  "~standard": { version: 1, vendor: "podbase", validate: (value: unknown) => ({ value }) },
} as const;

/**
 * Runs the TypeScript engine over a real database with a RunPod that accepts at once, for one job of one task from
 * request to webhook. Gives its calls of the database, in order.
 */
export async function countDatabaseCalls(server: BenchServer): Promise<string[]> {
  await server.copy(SCHEMA, "bench_calls");
  const calls = await using(server.connect("bench_calls", 1), ([sql]) => followOneJob(sql as Sql));
  await server.drop("bench_calls");
  return calls;
}

async function followOneJob(sql: Sql): Promise<string[]> {
  await engine.configure(sql, true);
  const calls: string[] = [];
  let sent: { input: { podbase: { attempt: string; token: string } } } | undefined;
  const bench = defineJob({
    kind: "bench",
    input: anything,
    tasks: { work: { route: ROUTE, input: () => INPUT, output: anything } },
  });
  const subject = new Engine({
    jobs: { bench },
    database: countingDatabase(sql, calls),
    storage: {
      signUpload: () => Promise.reject(new Error("this job has no artifacts")),
      remove: () => Promise.reject(new Error("this job has no artifacts")),
    },
    runpod: new RunPod({
      apiKey: "bench",
      fetch: async (_, init) => {
        sent = await new Response(init?.body).json();
        return Response.json({ id: "bench-u1", status: "IN_QUEUE" });
      },
    }),
    webhookUrl: "http://127.0.0.1/runpod-webhook",
  });
  const { claims } = await subject.request(userId(1), "bench", INPUT);
  await subject.dispatch(claims);
  if (!sent) throw new Error("nothing was posted to RunPod");
  const { attempt, token } = sent.input.podbase;
  const report: Report = {
    attempt,
    token,
    kind: "bench",
    task: "work",
    source: "webhook",
    status: "COMPLETED",
    output: OUTPUT,
  };
  const { verdict, dispatched } = await subject.report(report);
  await dispatched;
  if (verdict !== "applied") throw new Error(`the completion was ${verdict}`);
  return calls;
}

function countingDatabase(sql: Sql, calls: string[]): Database {
  const methods = Object.entries(FUNCTIONS).map(([method, [name, takes]]) => [
    method,
    async (argument: unknown) => {
      calls.push(name);
      const value = takes === "json" ? sql.json(argument as never) : (argument as number);
      const [row] = await sql`select podbase.${sql.unsafe(name)}(${value}) as result`;
      return row?.result;
    },
  ]);
  return Object.fromEntries(methods) as Database;
}
