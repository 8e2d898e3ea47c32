import { type Job, webhookBodyOf } from "./job.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

interface Delivery {
  job: Job;
  /** As at the job's end: a /retry must not change what a later attempt says. */
  url: string;
  body: string;
  trace: string;
  attempts: number;
}

const DUPLICATE_AFTER_MS = 1000;

/** Tells receivers how jobs ended: three attempts, any 2xx will do (README: webhooks). */
export class Webhooks {
  readonly #world: World;
  readonly #isKnown: (job: Job) => boolean;
  readonly #random: Random;
  /** The delivery whose progress is kept with the job: not a doubled one, not one from before a /retry. */
  readonly #kept = new WeakMap<Job, Delivery>();

  /** `isKnown` says whether the platform still has the job; its webhook goes on either way. */
  constructor(world: World, isKnown: (job: Job) => boolean) {
    this.#world = world;
    this.#isKnown = isKnown;
    this.#random = world.random.stream("webhooks");
  }

  /** Tells of a finished job's end, unless it named no webhook or ended in a state that isn't told. */
  jobFinished(job: Job): void {
    const { faults, settings } = this.#world;
    if (job.webhook === undefined || !settings.webhook.states.some((state) => state === job.state)) return;
    const subject = { endpoint: job.endpoint, job: job.id, input: job.input };
    if (faults.strike("webhook_drop", subject)) return;
    const delayMs = faults.strike("webhook_delay", subject)?.delayMs ?? 0;
    const duplicate = faults.strike("webhook_duplicate", subject);
    if (duplicate) {
      this.#schedule(this.#delivery(job, job.webhook), delayMs + (duplicate.afterMs ?? DUPLICATE_AFTER_MS));
    }
    this.#keep(this.#delivery(job, job.webhook), delayMs);
  }

  /** Goes on with a delivery that a restart cut off. */
  resume(job: Job): void {
    if (job.webhook === undefined || !job.delivery) return;
    const { attempts, dueAt } = job.delivery;
    const delivery = { ...this.#delivery(job, job.webhook), attempts };
    this.#keep(delivery, Math.max(0, dueAt - this.#world.clock.now()));
  }

  #delivery(job: Job, url: string): Delivery {
    return { job, url, body: JSON.stringify(webhookBodyOf(job)), trace: this.#random.hex(32), attempts: 0 };
  }

  #keep(delivery: Delivery, delayMs: number): void {
    this.#kept.set(delivery.job, delivery);
    this.#schedule(delivery, delayMs);
  }

  #schedule(delivery: Delivery, delayMs: number): void {
    const { clock } = this.#world;
    this.#record(delivery, { attempts: delivery.attempts, dueAt: clock.now() + delayMs });
    clock.after(delayMs, () => this.#attempt(delivery));
  }

  #attempt(delivery: Delivery): void {
    const { clock, history, post, settings } = this.#world;
    const { job, url, body, trace } = delivery;
    const abort = new AbortController();
    const timeout = clock.after(settings.webhook.timeoutMs, () => {
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
      delivery.attempts++;
      const answer =
        result.status === "fulfilled" ? result.value : String(result.reason?.message ?? result.reason);
      history.add({
        type: "webhook",
        endpoint: job.endpoint,
        job: job.id,
        attempt: delivery.attempts,
        answer,
      });
      if (typeof answer === "number" && answer >= 200 && answer < 300)
        return this.#record(delivery, undefined);
      const waitMs = settings.webhook.retryDelaysMs[delivery.attempts - 1];
      if (waitMs !== undefined) return this.#schedule(delivery, waitMs);
      history.add({ type: "webhook_given_up", endpoint: job.endpoint, job: job.id });
      this.#record(delivery, undefined);
    });
  }

  #record(delivery: Delivery, progress: Job["delivery"]): void {
    const { job } = delivery;
    if (this.#kept.get(job) !== delivery || !this.#isKnown(job)) return;
    if (progress) job.delivery = progress;
    else delete job.delivery;
    this.#world.store.save(job);
  }
}
