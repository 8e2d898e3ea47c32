/** Where requests wait that could not be sent yet: localStorage, React Native's AsyncStorage or anything like them. */
export interface OutboxStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
}

/** A request that waits to be sent. */
export interface QueuedRequest {
  kind: string;
  input: unknown;
  idempotencyKey: string;
  /** When it was asked for, milliseconds since the epoch. */
  queuedAt: number;
}

/** The queued requests of each user, oldest first. */
export interface OutboxStore {
  read(userId: string): Promise<QueuedRequest[]>;
  /** Replaces the list by what `change` makes of it, alone in all tabs. */
  change(userId: string, change: (requests: QueuedRequest[]) => QueuedRequest[]): Promise<QueuedRequest[]>;
}

/** The browser's localStorage; where there is none, or it is forbidden, memory that ends with the app. */
export const defaultStorage = (): OutboxStorage => {
  try {
    // Android's WebView has null in its place unless told otherwise, and Node 25 something without functions.
    if (typeof globalThis.localStorage?.getItem === "function") return localStorage;
  } catch {
    // Storage is blocked in this browser: the queue lasts as long as the page.
  }
  const memory = new Map<string, string>();
  return {
    getItem: (key) => memory.get(key) ?? null,
    setItem: (key, value) => void memory.set(key, value),
  };
};

/** Makes the store. One item a user, so that nobody's requests are sent as somebody else. */
export const createOutboxStore = (storage: OutboxStorage): OutboxStore => {
  const keyOf = (userId: string) => `podbase.outbox.${userId}`;
  const read = async (userId: string): Promise<QueuedRequest[]> => {
    const stored = await storage.getItem(keyOf(userId));
    try {
      return JSON.parse(stored ?? "[]");
    } catch {
      // Cut off, as when the device died while writing. Nobody could ever add to it again.
      return [];
    }
  };
  let last: Promise<unknown> = Promise.resolve();

  return {
    read,
    change(userId, change) {
      const work = async () => {
        const requests = change(await read(userId));
        await storage.setItem(keyOf(userId), JSON.stringify(requests));
        return requests;
      };
      const alone = (): Promise<QueuedRequest[]> =>
        typeof navigator !== "undefined" && navigator.locks
          ? navigator.locks.request(keyOf(userId), work)
          : work();
      const result = last.then(alone);
      last = result.catch(() => {});
      return result;
    },
  };
};
