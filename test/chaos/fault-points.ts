/** What happens at a fault point: the process ends, or the call fails; each before the call has its effect, or after. */
export const ENDINGS = ["dies before", "dies after", "throws before", "throws after"] as const;
/** One of {@link ENDINGS}. */
export type Ending = (typeof ENDINGS)[number];

/** The `at`-th call of a port, counted from 0 over all processes. */
export interface FaultPoint {
  at: number;
  ending: Ending;
}

/** One process of an Edge Function. When it dies, nothing in it comes to a further step. */
export class FunctionProcess {
  readonly name: string;
  /** Resolves when the process is killed. */
  readonly killed: Promise<void>;
  alive = true;
  #kill = () => {};

  constructor(name: string) {
    this.name = name;
    this.killed = new Promise((resolve) => {
      this.#kill = resolve;
    });
  }

  die(): void {
    this.alive = false;
    this.#kill();
  }

  /** `work` as its caller sees it: rejects as a connection does whose other end is gone. */
  async answer<T>(work: Promise<T>): Promise<T> {
    const gone = this.killed.then(() => {
      throw new TypeError("fetch failed: the connection was reset");
    });
    return Promise.race([work, gone]);
  }
}

/** Counts all awaits of the functions, and makes one of them end as the fault point says. */
export class FaultPoints {
  /** `process: port.method` of every call so far. */
  readonly calls: string[] = [];
  readonly #point: FaultPoint | undefined;

  constructor(point?: FaultPoint) {
    this.#point = point;
  }

  /** Whether the fault point was come to. */
  get struck(): boolean {
    return this.#point !== undefined && this.calls.length > this.#point.at;
  }

  /** A port as that process has it: every method of it is an await, and so a fault point. */
  guard<T extends object>(process: FunctionProcess, name: string, port: T): T {
    return new Proxy(port, {
      get: (target, method) => {
        const value = Reflect.get(target, method) as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) =>
          this.call(process, `${name}.${String(method)}`, () => value.apply(target, args));
      },
    });
  }

  /** One await. */
  async call<T>(process: FunctionProcess, name: string, work: () => Promise<T>): Promise<T> {
    if (!process.alive) return never();
    const ending = this.calls.length === this.#point?.at ? this.#point.ending : undefined;
    this.calls.push(`${process.name}: ${name}`);
    if (ending === "throws before") throw new TypeError("fetch failed: cut before the call");
    if (ending === "dies before") {
      process.die();
      return never();
    }
    const result = await work();
    if (ending === "throws after") throw new TypeError("fetch failed: cut after the call");
    if (ending === "dies after") process.die();
    return process.alive ? result : never();
  }
}

const never = () => new Promise<never>(() => {});
