import { isObject, type Json } from "../core/json.ts";
import type { Assignment, Execute, Outcome } from "../core/world.ts";
import type { Clock, OutsideWork } from "../time/clock.ts";
import type { Handler, HandlerContext, HandlerJob } from "./handler.ts";
import { errorIn, failureOf, generatorFailureOf, outcomeOf, toJson } from "./outcome.ts";

/** Runs handlers as the work of workers, and knows which still run. */
export class Executor {
  readonly #clock: Clock;
  readonly #running = new Set<Promise<Outcome | undefined>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How an endpoint with this handler executes its jobs. `aggregates`: what it yields is the output too. */
  executeWith(handler: Handler<never>, aggregates = false): Execute {
    return (assignment) => {
      const waiting = new Waiting(this.#clock, assignment.signal);
      // Begins a moment later, when `waiting` knows the outside work it belongs to.
      const work = Promise.resolve().then(() => run(handler, assignment, waiting, aggregates));
      this.#running.add(work);
      waiting.work = this.#clock.outside(work, (result) => {
        assignment.done(
          result.status === "fulfilled" ? result.value : failureOf(result.reason, assignment.workerId),
        );
      });
      // Whatever the handler was waiting for, its answer to the abort is due now.
      assignment.signal.addEventListener("abort", () => waiting.work?.resume(), { once: true });
      const forget = () => this.#running.delete(work);
      work.then(forget, forget);
    };
  }

  /** Waits until all handlers ended, or `patienceMs` of real time. */
  async finish(patienceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([Promise.allSettled(this.#running), patience]);
    clearTimeout(timer);
  }
}

/** A handler's waits on the clock. While it waits, and only then, virtual time may go on. */
class Waiting {
  readonly signal: AbortSignal;
  work: OutsideWork | undefined;
  readonly #clock: Clock;
  #sleeps = 0;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.signal = signal;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.signal.throwIfAborted();
      if (++this.#sleeps === 1) this.work?.park();
      const wake = () => {
        this.signal.removeEventListener("abort", aborted);
        if (--this.#sleeps === 0) this.work?.resume();
      };
      const aborted = () => {
        timer.cancel();
        wake();
        reject(this.signal.reason);
      };
      const timer = this.#clock.after(ms, () => {
        wake();
        resolve();
      });
      this.signal.addEventListener("abort", aborted);
    });
  }
}

const run = async (
  handler: Handler<never>,
  assignment: Assignment,
  waiting: Waiting,
  aggregates: boolean,
): Promise<Outcome | undefined> => {
  const { signal } = waiting;
  const context: HandlerContext = {
    endpoint: assignment.endpoint,
    workerId: assignment.workerId,
    signal,
    progress: (output) => assignment.progress(toJson(output)),
    sleep: (ms) => waiting.sleep(ms),
    log: (line, stream = "stdout") => assignment.log(stream, line),
  };
  try {
    // The type of the input is between the handler and its callers, as on RunPod.
    const job = toJson(assignment.job) as unknown as HandlerJob<never>;
    const returned = await handler(job, context);
    if (isGenerator(returned)) return await stream(returned, assignment, aggregates);
    return outcomeOf(returned);
  } catch (error) {
    // A handler that stops on the abort reports nothing (runpod/runpod-python, rp_scale.py).
    if (signal.aborted) return undefined;
    return failureOf(error, assignment.workerId);
  }
};

type Generated = AsyncIterable<unknown> | Iterable<unknown>;

/** By its methods: a result may well have keys of these names. */
const isGenerator = (value: unknown): value is Generated =>
  isObject(value) && typeof value.next === "function" && typeof value.return === "function";

/** Hands on what a generator yields (runpod/runpod-python, rp_job.py, handle_job). */
const stream = async (
  generated: Generated,
  assignment: Assignment,
  aggregates: boolean,
): Promise<Outcome | undefined> => {
  const output: Json[] = [];
  try {
    for await (const yielded of generated) {
      if (assignment.signal.aborted) return undefined;
      const chunk = toJson(yielded);
      const error = errorIn(chunk);
      if (error !== undefined) return { error };
      if (aggregates) output.push(chunk);
      assignment.chunk(chunk);
    }
  } catch (error) {
    return assignment.signal.aborted ? undefined : generatorFailureOf(error);
  }
  return { output };
};
