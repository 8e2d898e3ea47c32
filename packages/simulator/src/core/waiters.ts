/** Who waits for something to happen, by key. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Calls back once, at the next {@link wake}. Returns how to stop waiting. */
  wait(key: string, callback: () => void): () => void {
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(callback));
    return () => {
      waiting.delete(callback);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    };
  }

  wake(key: string): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    for (const callback of waiting ?? []) callback();
  }
}
