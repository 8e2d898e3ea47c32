import type { Endpoint } from "../core/endpoint.ts";
import { isObject, isTooDeep, type Json } from "../core/json.ts";
import { RemoteWorkers, type SentJob } from "../core/remote-workers.ts";
import { isChunkTooLarge, isResultTooLarge } from "../core/sizes.ts";
import type { World } from "../core/world.ts";
import { type Answer, type Call, ok, refuse, type Served } from "./answer.ts";
import type { OpenCall } from "./open-call.ts";

const OPERATIONS = ["job-take", "job-take-batch", "job-done", "job-stream", "job-stop", "ping"];

const empty = (status: number): Answer => ({ kind: "answer", status });

/** Whether an operation is one of workers, not of callers. */
export const isWorkerOperation = (operation: string): boolean => OPERATIONS.includes(operation);

/**
 * What RunPod's worker library calls (runpod/runpod-python 1.12.0: rp_job.py, rp_http.py, rp_ping.py):
 * `job-take/<worker>`, `job-take-batch/<worker>`, `job-stop/<worker>`, `ping/<worker>`,
 * `job-done/<worker>/<job>` and `job-stream/<worker>/<job>`.
 */
export class WorkerProtocol {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async serve(call: Call, open: OpenCall, endpoint: Endpoint): Promise<Served> {
    const { fleet } = endpoint;
    const [worker = "", job = ""] = (call.id ?? "").split("/");
    if (!(fleet instanceof RemoteWorkers) || worker === "") {
      return { answer: refuse(404, "this endpoint is not served by workers of your own") };
    }
    switch (`${call.method} ${call.operation}`) {
      case "GET job-take":
      case "GET job-take-batch":
        return { answer: await this.#take(call, open, endpoint, { fleet, worker }) };
      case "GET job-stop": {
        const jobsToStop = await open.until<string[]>((done, hungUp) =>
          fleet.jobsToStop(worker, hungUp, done),
        );
        return { answer: jobsToStop.length > 0 ? ok({ jobsToStop }) : empty(204) };
      }
      case "GET ping": {
        fleet.heard(worker);
        for (const id of (call.query.get("job_id") ?? "").split(",")) endpoint.leases.heard(id, worker);
        return { answer: ok({}) };
      }
      case "POST job-done":
      case "POST job-stream": {
        fleet.heard(worker);
        const known = endpoint.job(job);
        const answer = await this.#report(call, endpoint, fleet, { worker, job });
        return { answer, ...(known && { job: known }) };
      }
      default:
        return { answer: refuse(405, `${call.method} is not for ${call.operation}`) };
    }
  }

  async #take(
    call: Call,
    open: OpenCall,
    endpoint: Endpoint,
    { fleet, worker }: { fleet: RemoteWorkers; worker: string },
  ): Promise<Answer> {
    const isBatch = call.operation === "job-take-batch";
    const most = isBatch ? Math.max(1, Math.floor(Number(call.query.get("batch_size"))) || 1) : 1;
    const jobs = await open.until<SentJob[]>((done, hungUp) => fleet.take(worker, most, hungUp, done));
    const sent = jobs.map((job): Json => ({ ...job }) satisfies SentJob as Json);
    const [first] = sent;
    // The library takes 400 for "none" as well: "expected when FlashBoot is enabled".
    if (first === undefined) return empty(endpoint.settings.flashBoot ? 400 : 204);
    return ok(isBatch ? sent : first);
  }

  async #report(
    call: Call,
    endpoint: Endpoint,
    fleet: RemoteWorkers,
    { worker, job: id }: { worker: string; job: string },
  ): Promise<Answer> {
    // Of any size: what is too large is known only by the job it belongs to.
    const body = parse((await call.body(Number.POSITIVE_INFINITY)) ?? "");
    // Looked up only now, as the body took its time.
    const job = endpoint.job(id);
    if (!job) return refuse(404, "job not found");
    const assignment = fleet.assignment(worker, id);
    if (!assignment) {
      const isProgress = isObject(body) && body.status === "IN_PROGRESS";
      if (isProgress) endpoint.progressedLate(job, worker, (body.output ?? null) as Json);
      else if (call.operation === "job-done") {
        const { run } = job;
        this.#world.history.add({ type: "late_report", endpoint: endpoint.id, job: id, run });
      }
      return ok({});
    }
    if (!isObject(body)) return refuse(400, "bad request: body: must be a JSON object");
    if (isTooDeep(body)) return refuse(400, "bad request: body: exceeded max depth");
    endpoint.leases.heard(id, worker);
    const { output, error, status, stopPod } = body as Record<string, Json>;
    if (call.operation === "job-stream") {
      if (output === undefined) return ok({});
      assignment.chunk(output);
      return isChunkTooLarge(this.#world.settings.largest, output)
        ? refuse(400, "bad request: chunk too large")
        : ok({});
    }
    if (status === "IN_PROGRESS") {
      assignment.progress(output ?? null);
      return ok({});
    }
    fleet.finish(assignment, {
      ...(output !== undefined && { output }),
      ...(error !== undefined &&
        error !== null && { error: typeof error === "string" ? error : JSON.stringify(error) }),
      ...(stopPod === true && { stopWorker: true }),
    });
    return isResultTooLarge(this.#world.settings.largest, job.sync, output)
      ? refuse(400, "bad request: result too large")
      : ok({});
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
