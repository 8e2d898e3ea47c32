import { createHash, timingSafeEqual } from "node:crypto";
import type { Endpoint } from "../core/endpoint.ts";
import type { FaultSubject } from "../core/fault.ts";
import type { Platform } from "../core/platform.ts";
import type { World } from "../core/world.ts";
import { type Answer, type Call, refuse, type Served } from "./answer.ts";
import { JobOperations } from "./job-operations.ts";
import { OpenCall } from "./open-call.ts";
import { RateLimits } from "./rate-limits.ts";
import { isWorkerOperation, WorkerProtocol } from "./worker-protocol.ts";

/**
 * What is called at `/v2/<endpoint>/…`, without HTTP: key, limits and faults around the job API's operations and
 * those of the worker protocol.
 */
export class JobApi {
  readonly #platform: Platform;
  readonly #world: World;
  readonly #operations: JobOperations;
  readonly #workers: WorkerProtocol;
  readonly #limits: RateLimits;
  readonly #keyHash: Buffer;

  constructor(platform: Platform, world: World, apiKey: string) {
    this.#platform = platform;
    this.#world = world;
    this.#operations = new JobOperations(platform, world);
    this.#workers = new WorkerProtocol(world);
    this.#limits = new RateLimits(world.settings.rateLimits, () => world.clock.now());
    this.#keyHash = sha256(apiKey);
  }

  call(call: Call): Promise<Answer> {
    const open = new OpenCall(this.#world.clock, call.hungUp);
    // Workers poll all the time: what comes of it is told, the calls are not.
    const isQuiet = isWorkerOperation(call.operation);
    return open.answering(async () =>
      this.#worded(await (isQuiet ? this.#quietly(call, open) : this.#told(call, open))),
    );
  }

  async #quietly(call: Call, open: OpenCall): Promise<Answer> {
    return (await this.#admit(call, open)).answer;
  }

  async #told(call: Call, open: OpenCall): Promise<Answer> {
    const { operation, endpoint, id } = call;
    const { history } = this.#world;
    history.add({ type: "received", operation, endpoint, ...(id !== undefined && { job: id }) });
    const { answer, job } = await this.#admit(call, open);
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

  #worded(answer: Answer): Answer {
    if (answer.kind !== "answer" || answer.reason === undefined) return answer;
    const { status, reason, headers } = answer;
    const { errorBody, retryAfterSeconds } = this.#world.settings;
    const isTimed = status === 429 && retryAfterSeconds !== undefined;
    return {
      kind: "answer",
      status,
      body: errorBody(status, reason),
      headers: { ...headers, ...(isTimed && { "retry-after": String(retryAfterSeconds) }) },
    };
  }

  /** `Bearer <key>` as the guides show, or the bare key as the reference's samples and the workers have it. */
  isAuthorized(authorization = ""): boolean {
    const key = authorization.replace(/^Bearer /i, "");
    return timingSafeEqual(sha256(key), this.#keyHash);
  }

  async #admit(call: Call, open: OpenCall): Promise<Served> {
    if (!this.isAuthorized(call.authorization)) return { answer: refuse(401, "unauthorized") };
    const endpoint = this.#platform.endpoint(call.endpoint);
    if (!endpoint) return { answer: { kind: "answer", status: 404, body: { detail: "endpoint not found" } } };
    const running = endpoint.fleet.workers.count("running");
    const leave = this.#limits.enter(endpoint.id, call.operation, running);
    if (!leave) return { answer: refuse(429, "too many requests") };
    try {
      return await this.#withFaults(call, open, endpoint);
    } finally {
      leave();
    }
  }

  async #withFaults(call: Call, open: OpenCall, endpoint: Endpoint): Promise<Served> {
    const { operation, id } = call;
    const before: FaultSubject = {
      endpoint: endpoint.id,
      operation,
      job: id,
      input: id === undefined ? undefined : endpoint.job(id)?.input,
    };
    const refused = this.#fault(before, false);
    if (refused) return { answer: refused };
    const served = await (isWorkerOperation(operation) ? this.#workers : this.#operations).serve(
      call,
      open,
      endpoint,
    );
    const after = { ...before, job: served.job?.id ?? id, input: served.job?.input };
    const lateMs = this.#world.faults.lateness("slow_answer", after, (fault) => concerns(fault, after));
    if (lateMs > 0) await open.wait(lateMs);
    return { ...served, answer: this.#lost(after) ?? this.#fault(after, true) ?? served.answer };
  }

  /** The answer that a fault puts in place of the right one: before the operation has its effect, or after. */
  #fault(subject: FaultSubject, applied: boolean): Answer | undefined {
    const { faults } = this.#world;
    const fits = (fault: { operation?: string; applied?: boolean }) =>
      (fault.applied ?? false) === applied && concerns(fault, subject);
    if (faults.strike("reset", subject, fits)) return { kind: "reset" };
    const fault = faults.strike("answer", subject, fits);
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
}

const sha256 = (text: string) => createHash("sha256").update(text).digest();

/** A fault that names no operation is one of the job API, not of the workers. */
const concerns = ({ operation }: { operation?: string }, subject: FaultSubject): boolean =>
  operation === undefined ? !isWorkerOperation(subject.operation ?? "") : operation === subject.operation;
