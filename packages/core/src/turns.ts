/** One after another: who has waited longest comes next. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Waits for a turn and gives what ends it. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let end = () => {};
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }
}
