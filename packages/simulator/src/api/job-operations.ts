import type { Endpoint } from "../core/endpoint.ts";
import type { FaultSubject } from "../core/fault.ts";
import { isFinished, type Job, stateOf, statusOf } from "../core/job.ts";
import type { JsonObject } from "../core/json.ts";
import type { Platform } from "../core/platform.ts";
import type { World } from "../core/world.ts";
import { type Answer, type Call, notServed, ok, refuse, type Served, wrongMethod } from "./answer.ts";
import { healthOf, metricsOf } from "./health.ts";
import type { OpenCall } from "./open-call.ts";
import { BadRequest, readSubmission } from "./submission.ts";

/** What `?wait=` may be (docs, operation-reference), and without it. */
const WAIT_MS = { least: 1000, most: 300_000 };
const SYNC_WAIT_MS = 90_000;
const STREAM_WAIT_MS = 10_000;

/** The operations of the job API (RunPod docs, serverless/endpoints/operation-reference). */
export class JobOperations {
  readonly #platform: Platform;
  readonly #world: World;

  constructor(platform: Platform, world: World) {
    this.#platform = platform;
    this.#world = world;
  }

  /** Carries out a call that is allowed and that no fault got in the way of. */
  async serve(call: Call, open: OpenCall, endpoint: Endpoint): Promise<Served> {
    const { method, operation, id, query } = call;
    const name = `${method} ${operation}${id === undefined ? "" : "/{id}"}`;
    switch (name) {
      case "POST run":
      case "POST runsync":
        return this.#run(call, open, endpoint);
      // The docs of 2024 show POST for these three too.
      case "GET status/{id}":
      case "POST status/{id}":
        return onJob(endpoint, id, (job) => this.#status(endpoint, job, query.get("ttl")));
      case "GET status-sync/{id}":
      case "POST status-sync/{id}":
        return onJob(endpoint, id, (job) => this.#statusSync(endpoint, job, open, query));
      case "GET stream/{id}":
      case "POST stream/{id}":
        return onJob(endpoint, id, (job) => this.#stream(endpoint, job, open, query));
      case "POST cancel/{id}":
        return onJob(endpoint, id, (job) => {
          const { cancelFinishedStatus } = endpoint.settings;
          if (isFinished(job) && cancelFinishedStatus !== 200) {
            return refuse(cancelFinishedStatus, `a job that is ${job.state} cannot be cancelled`);
          }
          endpoint.cancel(job);
          return ok({ id: job.id, status: stateOf(job) });
        });
      case "POST retry/{id}":
        return onJob(endpoint, id, (job) =>
          endpoint.retry(job)
            ? ok({ id: job.id, status: job.state })
            : refuse(
                endpoint.settings.retryRefusedStatus,
                `bad request: a job that is ${job.state} cannot be retried`,
              ),
        );
      case "POST purge-queue":
        return { answer: ok({ removed: endpoint.purge(), status: "completed" }) };
      case "GET health":
        return { answer: ok(healthOf(endpoint)) };
      case "GET metrics":
        return { answer: ok(metricsOf(endpoint)) };
      case "GET requests":
        return { answer: ok({ requests: endpoint.jobs().map((job) => this.#told(endpoint, job)) }) };
      default:
        return { answer: notCarriedOut(operation, id) };
    }
  }

  async #run(call: Call, open: OpenCall, endpoint: Endpoint): Promise<Served> {
    const sync = call.operation === "runsync";
    const limit = this.#world.settings.largest[sync ? "runsync" : "run"];
    const text = await call.body(limit);
    if (text === undefined) {
      const size = limit % 1024 ** 2 === 0 ? `${limit / 1024 ** 2}MiB` : `${limit / 1024}KiB`;
      const body = `bad request: body: exceeded max body size of ${size}`;
      return { answer: { kind: "answer", status: 400, body } };
    }
    let job: Job | undefined;
    try {
      job = this.#platform.submit(endpoint, readSubmission(text, sync, endpoint.settings));
    } catch (error) {
      if (error instanceof BadRequest) return { answer: refuse(400, `bad request: ${error.message}`) };
      throw error;
    }
    if (!job) return { answer: refuse(429, "too many jobs in the queue") };
    if (sync) await untilFinished(endpoint, job, open, call.query);
    const answer = isFinished(job) ? ok(this.#told(endpoint, job)) : ok({ id: job.id, status: stateOf(job) });
    return { answer, job };
  }

  #status(endpoint: Endpoint, job: Job, ttl: string | null): Answer {
    if (ttl !== null) {
      if (!(Number(ttl) > 0)) return refuse(400, "bad request: ttl must be milliseconds");
      endpoint.limitLife(job, Number(ttl));
    }
    return ok(this.#told(endpoint, job));
  }

  async #statusSync(endpoint: Endpoint, job: Job, open: OpenCall, query: URLSearchParams): Promise<Answer> {
    await untilFinished(endpoint, job, open, query);
    return endpoint.job(job.id) === job ? ok(this.#told(endpoint, job)) : jobNotFound;
  }

  /** Each chunk is handed out once (runpod/runpod-plugins-official, golden path 12). */
  async #stream(endpoint: Endpoint, job: Job, open: OpenCall, query: URLSearchParams): Promise<Answer> {
    if (!job.chunks && !isFinished(job)) {
      const waitMs = waitOf(query.get("wait"), STREAM_WAIT_MS);
      await open.wait(waitMs, (done) => endpoint.whenYielded(job, done));
    }
    if (endpoint.job(job.id) !== job) return jobNotFound;
    // A caller that is gone would take the chunks with it.
    if (open.isGone) return { kind: "none" };
    const chunks = endpoint.drain(job).map((output) => ({ output }));
    return ok({ status: this.#told(endpoint, job).status ?? job.state, stream: chunks });
  }

  /** The status, with whatever state a fault puts in the place of the right one. */
  #told(endpoint: Endpoint, job: Job): JsonObject {
    const told = statusOf(job);
    const subject: FaultSubject = { endpoint: endpoint.id, job: job.id, input: job.input };
    const fault = this.#world.faults.strike(
      "other_state",
      subject,
      ({ instead = "IN_PROGRESS" }) => instead === told.status,
    );
    return fault ? { ...told, status: fault.state ?? "RUNNING" } : told;
  }
}

/** By what follows: methods of operations on the endpoint, and of those on a job. */
const METHODS: Readonly<Record<string, string>> = {
  run: "POST",
  runsync: "POST",
  "purge-queue": "POST",
  health: "GET",
  metrics: "GET",
  requests: "GET",
  "status/{id}": "GET, POST",
  "status-sync/{id}": "GET, POST",
  "stream/{id}": "GET, POST",
  "cancel/{id}": "POST",
  "retry/{id}": "POST",
};

const notCarriedOut = (operation: string, id: string | undefined): Answer => {
  if (operation === "openai" || operation === "batch") return notServed(operation);
  const name = `${operation}${id === undefined ? "" : "/{id}"}`;
  const methods = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  return methods === undefined ? refuse(404, "not found") : wrongMethod(methods);
};

const jobNotFound = refuse(404, "job not found");

/** Out of range, it is brought into it; what is no number counts as not given. */
const waitOf = (wait: string | null, otherwise: number): number => {
  const asked = wait ? Number(wait) : Number.NaN;
  return Number.isNaN(asked) ? otherwise : Math.min(Math.max(asked, WAIT_MS.least), WAIT_MS.most);
};

const untilFinished = async (
  endpoint: Endpoint,
  job: Job,
  open: OpenCall,
  query: URLSearchParams,
): Promise<void> => {
  if (isFinished(job)) return;
  await open.wait(waitOf(query.get("wait"), SYNC_WAIT_MS), (done) => endpoint.whenFinished(job, done));
};

const onJob = async (
  endpoint: Endpoint,
  id: string | undefined,
  answer: (job: Job) => Answer | Promise<Answer>,
): Promise<Served> => {
  const job = id === undefined ? undefined : endpoint.job(id);
  return job ? { answer: await answer(job), job } : { answer: jobNotFound };
};
