import { callListener } from "./call-listener.ts";
import type { Subscription } from "./connection.ts";

/** Something to listen to. */
export interface Emitter<T> {
  emit(value: T): void;
  subscribe(listener: (value: T) => void): Subscription;
}

/** Makes an {@link Emitter} without listeners. */
export const createEmitter = <T>(): Emitter<T> => {
  const listeners = new Set<(value: T) => void>();
  return {
    emit(value) {
      for (const listener of [...listeners]) callListener(listener, value);
    },
    subscribe(listener) {
      // A wrapper of its own, so that the same function may listen twice.
      const own = (value: T) => listener(value);
      listeners.add(own);
      return { unsubscribe: () => void listeners.delete(own) };
    },
  };
};
