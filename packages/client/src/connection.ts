import { callListener } from "./call-listener.ts";

/**
 * How changes arrive. `live`: pushed. `polling`: Realtime can't be reached for now, so they are asked for, and come
 * seconds later. `connecting`: not yet joined, or nothing is watched. None of them is an error of a job.
 */
export type Connection = "connecting" | "live" | "polling";

/** Something to stop. */
export interface Subscription {
  unsubscribe(): void;
}

/** A {@link Connection} that tells of its changes. */
export interface ConnectionState {
  get(): Connection;
  set(connection: Connection): void;
  subscribe(listener: (connection: Connection) => void): Subscription;
}

/** Makes the {@link ConnectionState} of a client. */
export const createConnectionState = (): ConnectionState => {
  let current: Connection = "connecting";
  const listeners = new Set<(connection: Connection) => void>();
  return {
    get: () => current,
    set(connection) {
      if (connection === current) return;
      current = connection;
      for (const listener of [...listeners]) callListener(listener, connection);
    },
    subscribe(listener) {
      // A wrapper of its own, so that the same function may listen twice.
      const own = (connection: Connection) => listener(connection);
      listeners.add(own);
      return { unsubscribe: () => void listeners.delete(own) };
    },
  };
};
