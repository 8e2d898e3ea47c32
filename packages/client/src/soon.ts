import type { Lifecycle } from "./lifecycle.ts";
import type { Runtime } from "./runtime.ts";

/** What a sleep leaves of a request is a connection that may never answer; younger ones were begun awake. */
export const YOUNG_MS = 500;

/** What a wait needs that ends when the app wakes. */
export interface SoonPorts {
  runtime: Runtime;
  lifecycle: Lifecycle;
}

/** Calls back after so long and whenever the app wakes, until the returned function is called. */
export const soon = (
  { runtime, lifecycle }: SoonPorts,
  ms: number,
  callback: (woken: boolean) => void,
): (() => void) => {
  const cancel = runtime.after(ms, () => callback(false));
  const stopWaking = lifecycle.onWake(() => callback(true));
  return () => {
    cancel();
    stopWaking();
  };
};

/** Resolves after so long, or as soon as the app wakes. */
export const pause = (ports: SoonPorts, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const end = soon(ports, ms, () => {
      end();
      resolve();
    });
  });

/**
 * For one request: calls back when it had no answer for so long, or when the app wakes from a sleep in which its connection
 * may have died. The returned function ends that.
 */
export const patience = (ports: SoonPorts, ms: number, giveUp: (woken: boolean) => void): (() => void) => {
  const began = ports.runtime.now();
  return soon(ports, ms, (woken) => {
    if (!woken || ports.runtime.now() - began > YOUNG_MS) giveUp(woken);
  });
};
