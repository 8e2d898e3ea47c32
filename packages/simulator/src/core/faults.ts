import type { History } from "./history.ts";
import type { Json } from "./json.ts";
import type { Random } from "./random.ts";

/** What a fault may look at to decide whether it strikes. */
export interface FaultSubject {
  endpoint: string;
  /** The operation of the job API, where a call is concerned: `run`, `status`, … */
  operation?: string | undefined;
  job?: string | undefined;
  /** Of the job, where it is known at that point. */
  input?: Json | undefined;
}

/** Where and how often a fault strikes. */
export interface FaultScope {
  /** Only this endpoint. */
  endpoint?: string;
  /** Only where this says true; comes after `endpoint`. */
  when?: (subject: FaultSubject) => boolean;
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
  | { fault: "webhook_delay"; delayMs: number }
  /** /run and /runsync create the job, but the caller never hears of it: silence, or a reset connection. */
  | { fault: "run_unanswered" }
  | { fault: "run_reset" }
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
  /** The platform loses the job `afterMs` (default 0) after it was submitted: 404 from then on. */
  | { fault: "job_forget"; afterMs?: number }
  /** The worker that takes the job never reports: re-dispatched once, then FAILED. */
  | { fault: "job_lose" };

/** A fault as data. */
export type Fault = FaultScope & FaultAction;

type Named<Name extends FaultAction["fault"]> = Extract<Fault, { fault: Name }>;

interface Armed {
  fault: Fault;
  seen: number;
  struck: number;
}

/** The faults in force and the chance behind them. */
export class Faults {
  readonly #armed = new Set<Armed>();
  readonly #random: Random;
  readonly #history: History;

  constructor(random: Random, history: History) {
    this.#random = random;
    this.#history = history;
  }

  /** Puts a fault in force until the returned function is called. Throws a RangeError on a wrong number. */
  add(fault: Fault): () => void {
    const { chance = 1, skip = 0, times = 0 } = fault;
    if (!(chance >= 0 && chance <= 1)) throw new RangeError(`chance must be 0 to 1, got ${chance}`);
    if (!(skip >= 0 && times >= 0)) throw new RangeError("skip and times must be 0 or more");
    if (fault.fault === "answer" && !(fault.status >= 200 && fault.status <= 599)) {
      throw new RangeError(`status must be 200 to 599, got ${fault.status}`);
    }
    const armed: Armed = { fault, seen: 0, struck: 0 };
    this.#armed.add(armed);
    return () => this.#armed.delete(armed);
  }

  /** The first fault of that name that strikes here, if any. Each call is one chance for it to strike. */
  strike<Name extends FaultAction["fault"]>(
    name: Name,
    subject: FaultSubject,
    fits: (fault: Named<Name>) => boolean = () => true,
  ): Named<Name> | undefined {
    for (const armed of this.#armed) {
      const fault = armed.fault as Named<Name>;
      if (fault.fault !== name || !fits(fault) || !this.#strikes(armed, subject)) continue;
      const { endpoint, job } = subject;
      this.#history.add({ type: "fault", fault: name, endpoint, ...(job !== undefined && { job }) });
      return fault;
    }
    return undefined;
  }

  #strikes(armed: Armed, subject: FaultSubject): boolean {
    const { endpoint, when, chance = 1, skip = 0, times = Number.POSITIVE_INFINITY } = armed.fault;
    if (endpoint !== undefined && endpoint !== subject.endpoint) return false;
    if (when && !when(subject)) return false;
    if (armed.struck >= times || armed.seen++ < skip) return false;
    // The draw happens for certain faults too, so that changing a chance leaves later draws alone.
    if (this.#random.next() >= chance) return false;
    armed.struck++;
    return true;
  }
}
