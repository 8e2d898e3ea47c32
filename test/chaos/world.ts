import { randomUUID } from "node:crypto";
import { Engine, RunPod } from "@podbase/core";
import { reconcile, requestJob, runpodWebhook, type WaitUntil } from "@podbase/edge";
import {
  createSimulator,
  type Fault,
  type Handler,
  type Simulator,
  type VirtualClock,
  virtualClock,
} from "@podbase/simulator";
import { runHandler } from "@podbase/worker";
import type { ClockedDatabase } from "./database.ts";
import { type FaultPoint, FaultPoints, FunctionProcess } from "./fault-points.ts";
import { JOBS, ROUTES } from "./jobs.ts";

/** Between two ticks of cron. */
export const TICK_MS = 10_000;
const PROJECT = "http://podbase.test";
const KEY = "rpa_simulator";

/** What a world is made of, and what goes wrong in it. */
export interface WorldOptions {
  database: ClockedDatabase;
  point?: FaultPoint;
  faults?: Fault[];
  /** How long a worker takes to start. Default 4 s. */
  coldStartMs?: number;
  /** How long the work of a task takes. Default 8 s. */
  workMs?: number;
  /** What a worker returns for a task's input; what it throws fails the task. Default `{ text: "done" }`. */
  work?: (input: Record<string, unknown>) => Record<string, unknown>;
  /** The webhook function goes down just before a worker is done; see `down`. */
  downAtEnd?: boolean;
}

/** One time that a worker did a task's work, which is what RunPod bills. */
export interface Execution {
  attempt: string;
  task: string;
}

interface WorkerInput {
  podbase: Execution & { uploads: object };
}

type FunctionName = "request-job" | "runpod-webhook" | "reconcile";

/**
 * All of Podbase in one process under one virtual clock: the functions' handlers with the real engine, the real SQL, and
 * RunPod's twin with workers that make the worker's calls. Cron is `pass`, called by the test.
 */
export class World {
  readonly clock: VirtualClock = virtualClock({ startMs: Date.now() });
  readonly user = randomUUID();
  readonly points: FaultPoints;
  readonly executions: Execution[] = [];
  /** Calls of functions by name, those of workers apart. */
  readonly calls = { "request-job": 0, "runpod-webhook": 0, worker: 0, reconcile: 0 };
  readonly database: ClockedDatabase;
  /** Set to refuse every call of that function, as when its region is down. */
  readonly down = new Set<FunctionName>();
  simulator!: Simulator;
  readonly #processes = new Map<FunctionName, FunctionProcess>();
  readonly #options: WorldOptions;

  private constructor(options: WorldOptions) {
    this.database = options.database;
    this.points = new FaultPoints(options.point);
    this.#options = options;
  }

  static async open(options: WorldOptions): Promise<World> {
    const world = new World(options);
    const { database, clock } = world;
    database.now = () => clock.now();
    await database.query("insert into auth.users (id, email) values ($1, $2)", world.user, `${world.user}@x`);
    await database.query(`select vault.create_secret(value, name) from (values
      ('podbase_project_url', '${PROJECT}'), ('podbase_secret_key', 'sb_secret_x')) as s (name, value)
      where not exists (select from vault.secrets v where v.name = s.name)`);
    // Each world begins at the present again, with nothing of the last one's future.
    await database.query("delete from podbase.jobs");
    for (const table of [
      "orphans",
      "alerts",
      "files_to_delete",
      "endpoint_health",
      "route_pace",
      "heartbeats",
    ]) {
      await database.query(`delete from podbase_private.${table}`);
    }
    await database.query("update podbase_private.call_budgets set used_to = '-infinity'");
    await database.query(`update podbase_private.endpoints set breaker = 'closed', submit_failures = 0,
      run_failures = 0, breaker_trips = 0, breaker_until = null`);
    const executionTimeoutMs = 2 * (options.workMs ?? 8000) + 60_000;
    const endpoint = { executionTimeoutMs, ttlMs: executionTimeoutMs + 1_800_000 };
    const endpoints = Object.fromEntries(ROUTES.map((route) => [route, { ...endpoint, providerId: route }]));
    await database.call("configure", {
      endpoints,
      routes: Object.fromEntries(ROUTES.map((route) => [route, [route]])),
    });
    world.simulator = await createSimulator({
      apiKey: KEY,
      seed: 1,
      clock,
      faults: options.faults ?? [],
      webhook: { post: (url, headers, body) => world.#deliver(url, headers, body) },
      endpoints: Object.fromEntries(
        ROUTES.map((route) => [
          route,
          {
            handler: world.#worker(route),
            coldStartMs: options.coldStartMs ?? 4000,
            pickupMs: 100,
            idleTimeoutMs: 60_000,
          },
        ]),
      ),
    });
    return world;
  }

  /** A user's request, repeated with its key until it is answered, as an app's outbox does. Gives the job's id. */
  async request(kind: keyof typeof JOBS, input: object = {}, { bulk = false } = {}): Promise<string> {
    const one = { kind, input, idempotencyKey: randomUUID() };
    const body = JSON.stringify(bulk ? { jobs: [one] } : one);
    const headers = { "content-type": "application/json" };
    for (let tries = 0; tries < 5; tries++) {
      // No answer: the process died, as a fault wanted it to.
      const answer = await this.#call("request-job", "", { method: "POST", headers, body }).catch(() => null);
      if (answer?.ok) {
        const made = (await answer.json()) as { jobId: string; jobs?: [{ jobId: string }] };
        return made.jobs?.[0].jobId ?? made.jobId;
      }
      await this.clock.advance(2000);
    }
    throw new Error("the request was never answered");
  }

  /** Time goes on for `ms`, cron stopped. */
  async wait(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /** What one tick of cron brings about, with the calls of reconcile that it asked for. */
  async pass(): Promise<void> {
    const wakes = await this.database.tick();
    for (let n = 0; n < wakes; n++) {
      // A process that dies here answers nobody, and pg_net does not care; what it left undone the test will see.
      await this.#call("reconcile", "", { method: "POST" }).catch(() => {});
      await this.clock.advance(0);
    }
  }

  /**
   * Lets time pass until the job has ended, with the ticks of cron that have something to do; throws after `minutes` of
   * virtual time.
   */
  async settle(job: string, minutes = 60): Promise<void> {
    const deadline = this.clock.now() + minutes * 60_000;
    let quietMs = TICK_MS;
    while (this.clock.now() < deadline) {
      await this.clock.advance(quietMs);
      await this.pass();
      const [row] = await this.database.query<{ finished: boolean; due: Date | null }>(
        `select finished_at is not null as finished, least(
           (select min(next_check_at) from podbase_private.attempts),
           (select min(run_at) from podbase_private.task_schedule)) as due
         from podbase.jobs where id = $1`,
        job,
      );
      if (row?.finished) {
        // What is still on its way, and what is still to be canceled.
        await this.clock.advance(60_000);
        await this.pass();
        return;
      }
      // A webhook may give the next tick something to do meanwhile, so never more than a minute at once.
      const untilDue = (row?.due?.getTime() ?? 0) - this.clock.now();
      quietMs = Math.ceil(Math.min(Math.max(untilDue, 1), 60_000) / TICK_MS) * TICK_MS;
    }
    throw new Error(`the job is still open after ${minutes} minutes:\n${this.points.calls.join("\n")}`);
  }

  async close(): Promise<void> {
    await this.simulator.stop();
  }

  /** A call of a function, in the process it has now. */
  async #call(name: FunctionName, path: string, init: RequestInit): Promise<Response> {
    if (this.down.has(name)) throw new TypeError("fetch failed: connection refused");
    const caller = name === "runpod-webhook" && /\/(start|progress|uploads)$/.test(path) ? "worker" : name;
    this.calls[caller] += 1;
    let process = this.#processes.get(name);
    if (!process?.alive) {
      process = new FunctionProcess(name);
      this.#processes.set(name, process);
    }
    const request = new Request(`${PROJECT}/functions/v1/${name}${path}`, init);
    return process.answer(this.#handler(process, name)(request));
  }

  #handler(process: FunctionProcess, name: FunctionName): (request: Request) => Promise<Response> {
    const engine = new Engine({
      jobs: JOBS,
      database: this.points.guard(process, "database", this.database.port()),
      storage: this.points.guard(process, "storage", {
        signUpload: async (path) => `${PROJECT}/upload/${path}`,
        remove: async (paths) => {
          const { database } = this;
          await database.query("select set_config('storage.allow_delete_query', 'true', false)");
          for (const path of paths) await database.query("delete from storage.objects where name = $1", path);
        },
      }),
      runpod: new RunPod({
        apiKey: KEY,
        clock: this.clock,
        fetch: (input, init) => {
          const operation = /\/(run|status|cancel|health)/.exec(String(input))?.[1] ?? "fetch";
          return this.points.call(process, `runpod.${operation}`, () =>
            this.simulator.fetch(input as string, init),
          );
        },
      }),
      webhookUrl: `${PROJECT}/functions/v1/runpod-webhook`,
      clock: this.clock,
    });
    // Time waits for work in the background as long as its process lives.
    const waitUntil: WaitUntil = (work) => {
      const ended = work.then(
        () => {},
        () => {},
      );
      this.clock.outside(Promise.race([ended, process.killed]), () => {});
    };
    if (name === "request-job") return requestJob({ engine, waitUntil, userOf: async () => this.user });
    if (name === "runpod-webhook") return runpodWebhook({ engine, waitUntil });
    return reconcile({ engine, waitUntil, isTrusted: async () => true, clock: this.clock });
  }

  async #deliver(url: string, headers: Record<string, string>, body: string): Promise<number> {
    return (await this.fetch(url, { method: "POST", headers, body })).status;
  }

  /** The network as RunPod and its workers have it. */
  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input));
    if (url.pathname.startsWith("/upload/")) {
      const name = decodeURIComponent(url.pathname.slice("/upload/".length));
      await this.database.query(
        `insert into storage.objects (bucket_id, name, metadata) values ('podbase', $1, $2)
         on conflict (bucket_id, name) do update set metadata = excluded.metadata`,
        name,
        { size: (init.body as Uint8Array).byteLength },
      );
      return Response.json({ Key: name });
    }
    const path = url.pathname.replace("/functions/v1/runpod-webhook", "") + url.search;
    return this.#call("runpod-webhook", path, init);
  };

  #worker(route: string): Handler {
    return (job, { sleep }) =>
      runHandler(
        job,
        async (_, { upload }) => {
          const { attempt, task, uploads } = (job.input as unknown as WorkerInput).podbase;
          this.executions.push({ attempt, task });
          await sleep(this.#options.workMs ?? 8000);
          if (this.#options.downAtEnd) this.down.add("runpod-webhook");
          const output = this.#options.work?.(job.input) ?? { text: "done" };
          if ("file" in uploads) await upload("file", new TextEncoder().encode(`made by ${route}`));
          return output;
        },
        { fetch: this.fetch, retryDelays: [], log: () => {} },
      );
  }
}
