import { createHash, timingSafeEqual } from "node:crypto";
import type { Endpoint } from "../core/endpoint.ts";
import type { FaultSubject } from "../core/faults.ts";
import { isFinished, type Job, statusOf } from "../core/job.ts";
import type { Json } from "../core/json.ts";
import type { Platform } from "../core/platform.ts";
import { LARGEST_BYTES } from "../core/settings.ts";
import type { World } from "../core/world.ts";
import { healthOf } from "./health.ts";
import { BadRequest, readSubmission } from "./submission.ts";

/** A call of the job API, whatever carried it. */
export interface Call {
  method: string;
  endpoint: string;
  /** The path after the endpoint: `run`, `status`, … */
  operation: string;
  /** The rest of the path. */
  id: string | undefined;
  query: URLSearchParams;
  authorization: string | undefined;
  /** Reads the body; undefined when it is longer than `limit` bytes. */
  body(limit: number): Promise<string | undefined>;
}

/** An answer, or what a fault does instead of one: silence, or a reset connection. */
export type Answer =
  | { kind: "answer"; status: number; body: Json; headers?: Record<string, string> }
  | { kind: "none" }
  | { kind: "reset" };

interface Served {
  answer: Answer;
  job?: Job;
}

const SYNC_WAIT_MS = { least: 1000, most: 300_000, otherwise: 90_000 };

const ok = (body: Json): Answer => ({ kind: "answer", status: 200, body });
const refuse = (status: number, error: string): Answer => ({ kind: "answer", status, body: { error } });

/** The job API (RunPod docs, serverless/endpoints/operation-reference) without HTTP. */
export class JobApi {
  readonly #platform: Platform;
  readonly #world: World;
  readonly #keyHash: Buffer;

  constructor(platform: Platform, world: World, apiKey: string) {
    this.#platform = platform;
    this.#world = world;
    this.#keyHash = sha256(apiKey);
  }

  async call(call: Call): Promise<Answer> {
    const { operation, endpoint, id } = call;
    const { history } = this.#world;
    history.add({ type: "received", operation, endpoint, ...(id !== undefined && { job: id }) });
    const { answer, job } = await this.#withFaults(call);
    const named = job?.id ?? id;
    history.add({
      type: "answered",
      operation,
      endpoint,
      ...(named !== undefined && { job: named }),
      answer: answer.kind === "answer" ? answer.status : answer.kind,
    });
    return answer;
  }

  async #withFaults(call: Call): Promise<Served> {
    if (!this.#isAuthorized(call.authorization)) return { answer: refuse(401, "unauthorized") };
    const endpoint = this.#platform.endpoint(call.endpoint);
    if (!endpoint) return { answer: { kind: "answer", status: 404, body: { detail: "endpoint not found" } } };

    const { operation, id } = call;
    const refused = this.#fault({ endpoint: endpoint.id, operation, job: id }, false);
    if (refused) return { answer: refused };
    const served = await this.#serve(call, endpoint);
    const subject = { endpoint: endpoint.id, operation, job: served.job?.id ?? id, input: served.job?.input };
    return { ...served, answer: this.#lost(subject) ?? this.#fault(subject, true) ?? served.answer };
  }

  async #serve(call: Call, endpoint: Endpoint): Promise<Served> {
    const { method, operation, id, query } = call;
    const name = `${method} ${operation}${id === undefined ? "" : "/{id}"}`;
    switch (name) {
      case "POST run":
      case "POST runsync":
        return this.#run(call, endpoint, operation === "runsync");
      case "GET status/{id}":
        if (query.has("ttl")) return { answer: notServed("GET status/{id}?ttl") };
        return onJob(endpoint, id, (job) => ok(statusOf(job)));
      case "POST cancel/{id}":
        return onJob(endpoint, id, (job) => {
          endpoint.cancel(job);
          return ok({ id: job.id, status: job.state });
        });
      case "POST retry/{id}":
        return onJob(endpoint, id, (job) =>
          endpoint.retry(job)
            ? ok({ id: job.id, status: job.state })
            : refuse(400, `bad request: a job that is ${job.state} cannot be retried`),
        );
      case "POST purge-queue":
        return { answer: ok({ removed: endpoint.purge(), status: "completed" }) };
      case "GET health":
        return { answer: ok(healthOf(endpoint)) };
      default:
        return { answer: notServed(name) };
    }
  }

  async #run(call: Call, endpoint: Endpoint, sync: boolean): Promise<Served> {
    const limit = LARGEST_BYTES[sync ? "runsync" : "run"];
    const text = await call.body(limit);
    if (text === undefined) {
      const body = `bad request: body: exceeded max body size of ${limit / 1024 ** 2}MiB`;
      return { answer: { kind: "answer", status: 400, body } };
    }
    let job: Job;
    try {
      job = this.#platform.submit(endpoint, readSubmission(text, sync));
    } catch (error) {
      if (error instanceof BadRequest) return { answer: refuse(400, `bad request: ${error.message}`) };
      throw error;
    }
    if (sync) await this.#finishedOrWaited(endpoint, job, call.query.get("wait"));
    const answer = isFinished(job) ? ok(statusOf(job)) : ok({ id: job.id, status: job.state });
    return { answer, job };
  }

  #finishedOrWaited(endpoint: Endpoint, job: Job, wait: string | null): Promise<void> {
    const asked = Number(wait) || SYNC_WAIT_MS.otherwise;
    const waitMs = Math.min(Math.max(asked, SYNC_WAIT_MS.least), SYNC_WAIT_MS.most);
    return new Promise((resolve) => {
      const timer = this.#world.clock.after(waitMs, () => {
        stopWaiting();
        resolve();
      });
      const stopWaiting = endpoint.whenFinished(job, () => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** The answer that a fault puts in place of the right one: before the operation has its effect, or after. */
  #fault(subject: FaultSubject, applied: boolean): Answer | undefined {
    const fault = this.#world.faults.strike(
      "answer",
      subject,
      (candidate) =>
        (candidate.applied ?? false) === applied &&
        (candidate.operation === undefined || candidate.operation === subject.operation),
    );
    if (!fault) return undefined;
    const { status, body = { error: `fault: ${status}` }, headers } = fault;
    return { kind: "answer", status, body, ...(headers && { headers }) };
  }

  /** The job stands, but its creator is not told. */
  #lost(subject: FaultSubject): Answer | undefined {
    const isNew =
      subject.input !== undefined && (subject.operation === "run" || subject.operation === "runsync");
    if (!isNew) return undefined;
    if (this.#world.faults.strike("run_unanswered", subject)) return { kind: "none" };
    if (this.#world.faults.strike("run_reset", subject)) return { kind: "reset" };
    return undefined;
  }

  /** `Bearer <key>` as the guides show, or the bare key as the reference's samples do. */
  #isAuthorized(authorization = ""): boolean {
    const key = authorization.replace(/^Bearer /i, "");
    return timingSafeEqual(sha256(key), this.#keyHash);
  }
}

const sha256 = (text: string) => createHash("sha256").update(text).digest();

const notServed = (name: string) => refuse(501, `not implemented by the simulator: ${name}`);

const onJob = (endpoint: Endpoint, id: string | undefined, answer: (job: Job) => Answer): Served => {
  const job = id === undefined ? undefined : endpoint.job(id);
  return job ? { answer: answer(job), job } : { answer: refuse(404, "job not found") };
};
