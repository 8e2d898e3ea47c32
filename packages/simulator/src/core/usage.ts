/** Length of the smallest billing bucket. */
const HOUR_MS = 3_600_000;

/** How long workers ran, by hour of the clock. RunPod bills whole seconds from a worker's start to its stop. */
export class Usage {
  readonly #byHour = new Map<number, number>();
  readonly #open = new Map<string, number>();

  /** The worker is billed from now on. No effect when it already is. */
  begin(worker: string, now: number): void {
    if (!this.#open.has(worker)) this.#open.set(worker, now);
  }

  /** The worker is billed no more; the started second counts whole. */
  end(worker: string, now: number): void {
    const from = this.#open.get(worker);
    if (from === undefined) return;
    this.#open.delete(worker);
    addTo(this.#byHour, from, from + Math.ceil((now - from) / 1000) * 1000);
  }

  /** Worker milliseconds by the hour's start, what still runs included. */
  byHour(now: number): Map<number, number> {
    const hours = new Map(this.#byHour);
    for (const from of this.#open.values()) addTo(hours, from, now);
    return hours;
  }
}

const addTo = (hours: Map<number, number>, from: number, to: number): void => {
  for (let at = from; at < to; ) {
    const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
    const end = Math.min(hour + HOUR_MS, to);
    hours.set(hour, (hours.get(hour) ?? 0) + end - at);
    at = end;
  }
};
