/** Steps that take back what was started, last first. */
export class Undo {
  readonly #steps: (() => Promise<void> | undefined)[] = [];
  readonly #log: (message: string) => void;
  #running: Promise<void> | undefined;

  /** `log` hears of steps that fail; the others still run. */
  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  add(step: () => Promise<void> | undefined): void {
    this.#steps.push(step);
  }

  /** Runs each step once, however often it is called. */
  run(): Promise<void> {
    this.#running ??= this.#runAll();
    return this.#running;
  }

  async #runAll(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        this.#log(`stop: ${(error as Error).message}`);
      }
    }
  }
}
