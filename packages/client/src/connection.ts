import { createEmitter } from "./emitter.ts";

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
  const { emit, subscribe } = createEmitter<Connection>();
  return {
    get: () => current,
    set(connection) {
      if (connection === current) return;
      current = connection;
      emit(connection);
    },
    subscribe,
  };
};
