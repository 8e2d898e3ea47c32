import type { JsonObject } from "../core/json.ts";

/** The job as a RunPod handler gets it. `input` is the handler's own copy. */
export interface HandlerJob<Input = JsonObject> {
  readonly id: string;
  readonly input: Input;
  /** As the caller sent it. */
  readonly s3Config?: JsonObject;
}

/** What a handler may use besides its job. */
export interface HandlerContext {
  readonly endpoint: string;
  readonly workerId: string;
  /** Aborted when the job is cancelled, timed out or gone, and when the simulator stops. */
  readonly signal: AbortSignal;
  /** Any JSON value: the job's `output` until it ends. */
  progress(output: unknown): void;
  /** Waits on the simulator's clock; rejects on abort. Virtual time moves on only while a handler waits here. */
  sleep(ms: number): Promise<void>;
  /** Adds a line to the history. */
  log(line: string, stream?: "stdout" | "stderr"): void;
}

/**
 * What an endpoint's workers do with a job. The return value is read by RunPod's rules: `{ error, ...rest }`
 * fails the job and keeps the rest as output, `{}` means no output, anything thrown fails the job. What a
 * generator yields goes to /stream.
 */
export type Handler<Input = JsonObject> = (job: HandlerJob<Input>, context: HandlerContext) => unknown;
