import type { Fault, FaultAction, FaultScope, FaultSubject, FaultWindow } from "./fault.ts";
import type { History } from "./history.ts";
import { isObject, type Json } from "./json.ts";
import type { Random, Span } from "./random.ts";

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
  readonly #spans: Random;
  readonly #history: History;
  readonly #age: () => number;

  /** `age` tells for how long the simulator has been running, in milliseconds. */
  constructor(random: Random, history: History, age: () => number) {
    this.#random = random;
    this.#spans = random.stream("spans");
    this.#history = history;
    this.#age = age;
  }

  /**
   * Puts a fault in force until the returned function is called. Throws a RangeError on a wrong number, a TypeError
   * on a header that can't be.
   */
  add(fault: Fault): () => void {
    check(fault);
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

  /** How much later something comes, in milliseconds: by the fault of that name, and by the one that slows everything. */
  lateness(
    name: "slow_answer" | "slow_worker" | "slow_job" | "progress_delay" | "webhook_delay",
    subject: FaultSubject,
    fits: (fault: FaultScope & { operation?: string }) => boolean = () => true,
  ): number {
    return [this.strike(name, subject, fits), this.strike("slow_everything", subject, fits)].reduce(
      (sum, fault) => sum + (fault ? this.span(fault.delayMs) : 0),
      0,
    );
  }

  /** A time within a fault's span. */
  span(span: Span): number {
    return this.#spans.within(span);
  }

  #strikes(armed: Armed, subject: FaultSubject): boolean {
    const { endpoint, input, when, window, chance = 1, skip = 0 } = armed.fault;
    const { times = Number.POSITIVE_INFINITY } = armed.fault;
    if (endpoint !== undefined && endpoint !== subject.endpoint) return false;
    if (input !== undefined && !holds(subject.input, input)) return false;
    if (when && !when(subject)) return false;
    if (window && !isOpen(window, this.#age())) return false;
    if (armed.struck >= times || armed.seen++ < skip) return false;
    // The draw happens for certain faults too, so that changing a chance leaves later draws alone.
    if (this.#random.next() >= chance) return false;
    armed.struck++;
    return true;
  }
}

const check = (fault: Fault): void => {
  const { chance = 1, skip = 0, times = 0, window } = fault;
  if (!(chance >= 0 && chance <= 1)) throw new RangeError(`chance must be 0 to 1, got ${chance}`);
  if (!(skip >= 0 && times >= 0)) throw new RangeError("skip and times must be 0 or more");
  if (fault.fault === "answer" && !(fault.status >= 200 && fault.status <= 599)) {
    throw new RangeError(`status must be 200 to 599, got ${fault.status}`);
  }
  if (fault.fault === "answer") new Headers(fault.headers);
  if (window && !(window.forMs > 0 && (window.everyMs ?? Number.POSITIVE_INFINITY) > 0)) {
    throw new RangeError("a window's forMs and everyMs must be above 0");
  }
};

const isOpen = ({ fromMs = 0, forMs, everyMs }: FaultWindow, age: number): boolean => {
  if (age < fromMs) return false;
  const since = age - fromMs;
  return (everyMs === undefined ? since : since % everyMs) < forMs;
};

const holds = (value: Json | undefined, part: Json): boolean => {
  if (!isObject(part)) return JSON.stringify(value) === JSON.stringify(part);
  if (!isObject(value)) return false;
  return Object.entries(part).every(([key, wanted]) => holds(value[key] as Json | undefined, wanted as Json));
};
