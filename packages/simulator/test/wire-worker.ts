import type { EndpointOptions, Simulator, SimulatorOptions } from "../src/index.ts";
import { startOne } from "./helpers.ts";

/** A simulator whose endpoint is served by workers over the wire. */
export const start = (endpoint: Partial<EndpointOptions> = {}, options: Partial<SimulatorOptions> = {}) =>
  startOne({ handler: "worker", ...endpoint }, options);

/** The addresses that runpod/runpod-python 1.12.0 makes of its environment, and its headers. */
export const workerOf = (simulator: Simulator, id = "worker-1") => {
  const env = simulator.workerEnvironment("ep", id);
  const take = env.RUNPOD_WEBHOOK_GET_JOB?.replace("$ID", id) ?? "";
  const ask = async (url: string, init: RequestInit = {}) => {
    const headers = { authorization: env.RUNPOD_AI_API_KEY ?? "", ...init.headers };
    const response = await simulator.fetch(url, { ...init, headers });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const post = (template: string | undefined, job: string, data: unknown) =>
    ask(`${template?.replace("$RUNPOD_POD_ID", id).replace("$ID", job)}&isStream=false`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", "x-request-id": job },
      body: typeof data === "string" ? data : JSON.stringify(data),
    });
  return {
    take: (signal?: AbortSignal) => ask(`${take}&job_in_progress=0`, signal && { signal }),
    takeBatch: (size: number) =>
      ask(`${take.replace("/job-take/", "/job-take-batch/")}&batch_size=${size}&job_in_progress=0`),
    done: (job: string, data: unknown) => post(env.RUNPOD_WEBHOOK_POST_OUTPUT, job, data),
    stream: (job: string, data: unknown) => post(env.RUNPOD_WEBHOOK_POST_STREAM, job, data),
    stops: () => ask(take.replace("/job-take/", "/job-stop/")),
    ping: (jobs = "") =>
      ask(`${env.RUNPOD_WEBHOOK_PING?.replace("$RUNPOD_POD_ID", id)}&job_id=${jobs}&runpod_version=1.12.0`),
  };
};
