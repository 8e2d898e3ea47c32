import type { SimulatorEvent } from "../core/history.ts";
import type { EndpointReport } from "../report.ts";

/** What a page may see of a simulator. Inputs, outputs and webhook addresses are not in it. */
export interface Watched {
  readonly seed: string;
  now(): number;
  endpoints(): EndpointReport[];
  history(): SimulatorEvent[];
  subscribe(listener: (event: SimulatorEvent) => void): () => void;
}

const JOBS_SHOWN = 100;
const WEBHOOKS_SHOWN = 50;

/** The queue, the workers and the webhooks as they stand: the newest jobs and webhook calls only. */
export const snapshot = (watched: Watched) => {
  const history = watched.history();
  return {
    at: watched.now(),
    seed: watched.seed,
    lastEvent: history.at(-1)?.order ?? 0,
    endpoints: watched.endpoints().map((endpoint) => ({
      ...endpoint,
      jobCount: endpoint.jobs.length,
      jobs: endpoint.jobs.slice(-JOBS_SHOWN).reverse(),
    })),
    webhooks: history
      .filter(({ type }) => type === "webhook" || type === "webhook_given_up")
      .slice(-WEBHOOKS_SHOWN)
      .reverse(),
  };
};

/**
 * The history from after event number `after` as server-sent events, each with its number as its id, so that a
 * browser that lost the connection goes on where it was. Ends when the reader goes away.
 */
export const eventStream = (watched: Watched, after: number): ReadableStream<string> => {
  let stop = () => {};
  return new ReadableStream({
    start(controller) {
      const send = (event: SimulatorEvent) =>
        controller.enqueue(`id: ${event.order}\ndata: ${JSON.stringify(event)}\n\n`);
      // So that the reader knows of the connection before anything happens.
      controller.enqueue(": the simulator's history\n\n");
      for (const event of eventsAfter(watched, after)) send(event);
      stop = watched.subscribe(send);
    },
    cancel: () => stop(),
  });
};

/** The events that followed the one of that order; all of them, when that is one of an earlier process. */
export const eventsAfter = (watched: Watched, after: number): SimulatorEvent[] => {
  const history = watched.history();
  const isOurs = after <= (history.at(-1)?.order ?? 0);
  return isOurs ? history.filter(({ order }) => order > after) : history;
};
