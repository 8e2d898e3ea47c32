import type { Timer } from "../time/clock.ts";
import { type DueWebhook, type Job, webhookBodyOf } from "./job.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

interface Delivery {
  job: Job;
  /** What is kept of it with the job. */
  due: DueWebhook;
  /** As at the job's end: a /retry must not change what a later attempt says. */
  url: string;
  body: string;
  trace: string;
  /** The first attempt was made. */
  begun?: true;
}

const REORDER_AFTER_MS = 60_000;
/** From the delivery that goes first to the one it overtook. */
const REORDER_GAP_MS = 50;
const DUPLICATE_AFTER_MS = 1000;

/** Tells receivers how jobs ended: three attempts, any 2xx will do (README: webhooks). */
export class Webhooks {
  readonly #world: World;
  readonly #isKnown: (job: Job) => boolean;
  readonly #random: Random;
  /** What waits to be overtaken, by endpoint. */
  readonly #held = new Map<string, { delivery: Delivery; timer: Timer }[]>();

  /** `isKnown` says whether the platform still has the job; its webhook goes on either way. */
  constructor(world: World, isKnown: (job: Job) => boolean) {
    this.#world = world;
    this.#isKnown = isKnown;
    this.#random = world.random.stream("webhooks");
  }

  /**
   * Notes with a finished job that its webhook is due, for the caller to save, and returns how to begin. Undefined
   * when the job named no webhook, ended in a state that isn't told, or a fault drops it.
   */
  due(job: Job): (() => void) | undefined {
    const { clock, faults, settings } = this.#world;
    if (job.webhook === undefined || !settings.webhook.states.some((state) => state === job.state))
      return undefined;
    const subject = { endpoint: job.endpoint, job: job.id, input: job.input };
    if (faults.strike("webhook_drop", subject)) return undefined;
    const lateMs = faults.lateness("webhook_delay", subject);
    const duplicate = faults.strike("webhook_duplicate", subject);
    const reorder = faults.strike("webhook_reorder", subject);
    const delayMs = lateMs + (reorder ? (reorder.afterMs ?? REORDER_AFTER_MS) : 0);
    const dueIn = (ms: number): DueWebhook => ({ attempts: 0, dueAt: clock.now() + ms });
    const doubledMs = delayMs + (duplicate?.afterMs ?? DUPLICATE_AFTER_MS);
    const doubled = duplicate && this.#delivery(job, job.webhook, dueIn(doubledMs));
    const delivery = this.#delivery(job, job.webhook, dueIn(delayMs));
    job.deliveries = [...(job.deliveries ?? []), ...(doubled ? [doubled.due] : []), delivery.due];
    return () => {
      if (doubled) this.#plan(doubled, doubledMs);
      const timer = this.#plan(delivery, delayMs);
      if (reorder) this.#hold(delivery, timer);
      else this.#releaseHeld(job.endpoint, delayMs);
    };
  }

  /** Goes on with the deliveries that a restart cut off. */
  resume(job: Job): void {
    const { webhook, deliveries = [] } = job;
    if (webhook === undefined) return;
    for (const due of deliveries) {
      this.#plan(this.#delivery(job, webhook, due), Math.max(0, due.dueAt - this.#world.clock.now()));
    }
  }

  #delivery(job: Job, url: string, due: DueWebhook): Delivery {
    return { job, due, url, body: JSON.stringify(webhookBodyOf(job, due)), trace: this.#random.hex(32) };
  }

  #plan(delivery: Delivery, delayMs: number): Timer {
    return this.#world.clock.after(delayMs, () => this.#attempt(delivery));
  }

  #hold(delivery: Delivery, timer: Timer): void {
    const { endpoint } = delivery.job;
    this.#held.set(endpoint, [...(this.#held.get(endpoint) ?? []), { delivery, timer }]);
  }

  /** What was held back goes right after the delivery that begins in `delayMs`. */
  #releaseHeld(endpoint: string, delayMs: number): void {
    const held = this.#held.get(endpoint) ?? [];
    this.#held.delete(endpoint);
    for (const { delivery, timer } of held) {
      if (delivery.begun) continue;
      timer.cancel();
      this.#plan(delivery, delayMs + REORDER_GAP_MS);
    }
  }

  #attempt(delivery: Delivery): void {
    const { clock, history, post, settings } = this.#world;
    const { job, due, url, body, trace } = delivery;
    delivery.begun = true;
    const abort = new AbortController();
    const timeout = clock.after(clock.ofReal(settings.webhook.timeoutMs), () => {
      abort.abort(new Error("the receiver took too long"));
      // Its end is due now.
      work.resume();
    });
    // What RunPod was seen to send, and no more: no signature, no attempt number, no event id.
    const headers = {
      "content-type": "application/json",
      "user-agent": "Go-http-client/2.0",
      traceparent: `00-${trace}-${this.#random.hex(16)}-00`,
    };
    const work = clock.outside(post(url, headers, body, abort.signal), (result) => {
      timeout.cancel();
      due.attempts++;
      const answer =
        result.status === "fulfilled" ? result.value : String(result.reason?.message ?? result.reason);
      history.add({
        type: "webhook",
        endpoint: job.endpoint,
        job: job.id,
        attempt: due.attempts,
        answer,
      });
      if (typeof answer === "number" && answer >= 200 && answer < 300) return this.#through(delivery);
      const waitMs = settings.webhook.retryDelaysMs[due.attempts - 1];
      if (waitMs !== undefined) {
        due.dueAt = clock.now() + waitMs;
        this.#save(job);
        this.#plan(delivery, waitMs);
        return;
      }
      history.add({ type: "webhook_given_up", endpoint: job.endpoint, job: job.id });
      this.#through(delivery);
    });
  }

  /** No further attempt will be made. */
  #through({ job, due }: Delivery): void {
    const others = (job.deliveries ?? []).filter((other) => other !== due);
    if (others.length > 0) job.deliveries = others;
    else delete job.deliveries;
    this.#save(job);
  }

  #save(job: Job): void {
    if (this.#isKnown(job)) this.#world.store.save(job);
  }
}
