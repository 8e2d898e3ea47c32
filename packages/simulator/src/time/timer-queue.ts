import type { Timer } from "./clock.ts";

interface Entry {
  at: number;
  order: number;
  /** Gone once the call ran or was cancelled. */
  run: (() => void) | undefined;
}

const COMPACT_ABOVE = 1024;

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Calls ordered by time, then by when they were added: a binary heap. Both clocks run on it. */
export class TimerQueue {
  #heap: Entry[] = [];
  #order = 0;
  #cancelled = 0;

  add(at: number, run: () => void): Timer {
    const entry: Entry = { at, order: this.#order++, run };
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    return {
      cancel: () => {
        if (!entry.run) return;
        entry.run = undefined;
        this.#cancelled++;
        this.#compact();
      },
    };
  }

  /** When the next call is due. */
  nextAt(): number | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      if (top.run) return top.at;
      this.#pop();
      this.#cancelled--;
    }
    return undefined;
  }

  /** Takes out the next call, if there is one. */
  take(): (() => void) | undefined {
    if (this.nextAt() === undefined) return undefined;
    const entry = this.#pop();
    const run = entry?.run;
    if (entry) entry.run = undefined;
    return run;
  }

  /** Most timers (a day's time to live) are cancelled long before they are due: don't keep them until then. */
  #compact(): void {
    if (this.#heap.length < COMPACT_ABOVE || this.#cancelled * 2 < this.#heap.length) return;
    this.#heap = this.#heap.filter((entry) => entry.run).sort((a, b) => (before(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }

  #pop(): Entry | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (last && last !== top) {
      this.#heap[0] = last;
      this.#down();
    }
    return top;
  }

  #up(start: number): void {
    for (let child = start; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfBefore(child, parent)) return;
      child = parent;
    }
  }

  #down(): void {
    for (let parent = 0; ; ) {
      const [left, right] = [this.#heap[2 * parent + 1], this.#heap[2 * parent + 2]];
      if (!left) return;
      const child = right && before(right, left) ? 2 * parent + 2 : 2 * parent + 1;
      if (!this.#swapIfBefore(child, parent)) return;
      parent = child;
    }
  }

  #swapIfBefore(child: number, parent: number): boolean {
    const [lower, upper] = [this.#heap[child], this.#heap[parent]];
    if (!lower || !upper || !before(lower, upper)) return false;
    this.#heap[child] = upper;
    this.#heap[parent] = lower;
    return true;
  }
}
