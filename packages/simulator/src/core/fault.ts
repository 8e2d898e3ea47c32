import type { Json } from "./json.ts";
import type { Span } from "./random.ts";

/** What a fault may look at to decide whether it strikes. */
export interface FaultSubject {
  endpoint: string;
  /** The operation of the job API or the worker protocol, where a call is concerned: `run`, `status`, … */
  operation?: string | undefined;
  job?: string | undefined;
  /** Of the job, where it is known at that point. */
  input?: Json | undefined;
}

/** A stretch of time, counted from the simulator's start. With `everyMs` it comes again after each such period. */
export interface FaultWindow {
  /** Default 0. */
  fromMs?: number;
  /** How long it lasts. */
  forMs: number;
  everyMs?: number;
}

/** Where, when and how often a fault strikes. All that is given must hold. */
export interface FaultScope {
  /** Only this endpoint. */
  endpoint?: string;
  /** Only jobs whose input holds this: all its keys, at any depth, with the same values. */
  input?: Json;
  /** Only where this says true. */
  when?: (subject: FaultSubject) => boolean;
  window?: FaultWindow;
  /** Probability from 0 to 1, drawn from the seed. Default 1. */
  chance?: number;
  /** Leave the first so many matches alone. Default 0. */
  skip?: number;
  /** Strike at most so often. Default: no limit. */
  times?: number;
}

/** Everything that can be made to go wrong. */
export type FaultAction =
  /** The job's webhook is never sent. */
  | { fault: "webhook_drop" }
  /** The whole delivery happens a second time, `afterMs` (default 1000) after the first began. */
  | { fault: "webhook_duplicate"; afterMs?: number }
  /** The first attempt comes later. */
  | { fault: "webhook_delay"; delayMs: Span }
  /** The first attempt comes right after that of the endpoint's next job, or after `afterMs` (default 60,000). */
  | { fault: "webhook_reorder"; afterMs?: number }
  /** /run and /runsync create the job, but the caller never hears of it: silence, or a reset connection. */
  | { fault: "run_unanswered" }
  | { fault: "run_reset" }
  /** The connection is reset, before an operation (default: any) has its effect or, with `applied`, after. */
  | { fault: "reset"; operation?: string; applied?: boolean }
  /**
   * An operation (default: any) is answered with this status, e.g. 429 or 502. With `applied` it has had its
   * effect all the same.
   */
  | {
      fault: "answer";
      operation?: string;
      status: number;
      body?: Json;
      headers?: Record<string, string>;
      applied?: boolean;
    }
  /** An operation (default: any) is answered so much later. */
  | { fault: "slow_answer"; operation?: string; delayMs: Span }
  /** The platform loses the job `afterMs` (default 0) after it was submitted: 404 from then on. */
  | { fault: "job_forget"; afterMs?: number }
  /** The worker that takes the job never reports: re-dispatched once, then FAILED. */
  | { fault: "job_lose" }
  /** `afterMs` after the end /status tells of IN_PROGRESS again, for `forMs` (default: the endpoint's `regressMs`). */
  | { fault: "status_regress"; afterMs?: number; forMs?: number }
  /** /status tells of this state (default RUNNING) where it is `instead` (default IN_PROGRESS). */
  | { fault: "other_state"; state?: string; instead?: string }
  /** A progress arrives later, so perhaps after its successor, or after the end. */
  | { fault: "progress_delay"; delayMs: Span }
  /** `delayTime` and `executionTime` are taken from a worker's clock that is ahead by so much, or behind. */
  | { fault: "clock_skew"; skewMs: number }
  /** A worker that is to start finds no host, and looks again after `forMs` (default 30,000). */
  | { fault: "worker_throttle"; forMs?: Span }
  /** A worker takes so much longer to start. */
  | { fault: "slow_worker"; delayMs: Span }
  /** A simulated worker takes so much longer over a job. */
  | { fault: "slow_job"; delayMs: Span }
  /** All of it: answers, starts, jobs, progress and webhooks, each so much later. */
  | { fault: "slow_everything"; delayMs: Span }
  /** A worker dies `afterMs` (default 0) after it took a job, whose loss is noticed later. */
  | { fault: "worker_crash"; afterMs?: Span }
  /** A worker dies at the end of its start, again and again while this is in force. */
  | { fault: "worker_crash_loop" };

/** A fault as data. */
export type Fault = FaultScope & FaultAction;
