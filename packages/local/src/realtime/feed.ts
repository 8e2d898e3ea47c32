import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Pool } from "./connect-like.ts";
import { decodePgoutput, type Relation, type Tuple } from "./pgoutput.ts";
import { openReplication, type ReplicationStream } from "./replication-stream.ts";

/** One committed change of one row. */
export interface RowChange {
  type: "INSERT" | "UPDATE" | "DELETE";
  relation: Relation;
  /** The row after the change; absent for DELETE. */
  row: Tuple | undefined;
  /** The old key or row, if the replica identity gave one. */
  old: Tuple | undefined;
  /** UTC, milliseconds, as hosted sends it. */
  commitTimestamp: string;
}

/** The stream of committed changes of the publications that exist. */
export interface Feed {
  /** Rises with every interruption: what was read under an older number may miss changes. */
  generation(): number;
  /** Resolves when changes flow; rejects after `timeoutMs`, or when the feed is closed. */
  ready(timeoutMs: number): Promise<void>;
  isLive(): boolean;
  /** Follows an existing publication that was made after the feed started, which interrupts the feed. */
  ensureFollows(publication: string): Promise<void>;
  /** Ends the feed and waits for it. */
  close(): Promise<void>;
}

/** What `createFeed` needs. `onChange` is called in commit order, synchronously. */
export interface FeedOptions {
  pool: Pool;
  publications: string[];
  onChange: (change: RowChange) => void;
  /** Changes may have been missed from now on: whoever depends on them must start over. */
  onInterrupted: () => void;
  log: (message: string) => void;
}

const RETRY_MS = [50, 100, 200, 500, 1000];

/** Starts following; reconnects for ever, with a fresh temporary slot each time, until closed. */
export function createFeed(options: FeedOptions): Feed {
  let stream: ReplicationStream | undefined;
  let followed: string[] = [];
  let generation = 0;
  let failures = 0;
  let lastError = "no answer yet";
  let waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const closed = new AbortController();

  const followOnce = async () => {
    const existing = await options.pool.sql<{ pubname: string }[]>`
      select pubname from pg_publication where pubname = any(${options.publications})`;
    followed = existing.map((row) => row.pubname);
    const slot = `supabase_realtime_${randomBytes(6).toString("hex")}`;
    const handle = createDecoder(options.onChange);
    stream = await openReplication(options.pool.sql, slot, followed, handle);
    if (closed.signal.aborted) await stream.close();
    failures = 0;
    for (const waiter of waiting.splice(0)) waiter.resolve();
    await stream.done;
  };

  const run = async () => {
    while (!closed.signal.aborted) {
      try {
        await followOnce();
      } catch (error) {
        lastError = (error as Error).message;
        options.log(`realtime: change feed interrupted: ${lastError}`);
      }
      const wasLive = stream !== undefined;
      stream = undefined;
      if (closed.signal.aborted) break;
      if (wasLive) {
        generation += 1;
        options.onInterrupted();
      }
      const pause = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
      await delay(pause, undefined, { signal: closed.signal }).catch(() => {});
    }
    for (const waiter of waiting.splice(0)) waiter.reject(new Error("the change feed is closed"));
  };
  const running = run();

  const ready = async (timeoutMs: number) => {
    if (stream) return;
    if (closed.signal.aborted) throw new Error("the change feed is closed");
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const waiter = { resolve, reject };
      waiting.push(waiter);
      timer = setTimeout(() => {
        waiting = waiting.filter((other) => other !== waiter);
        reject(new Error(`the database can't be followed: ${lastError}`));
      }, timeoutMs);
    }).finally(() => clearTimeout(timer));
  };

  return {
    generation: () => generation,
    isLive: () => stream !== undefined,
    ready,
    async ensureFollows(publication) {
      if (!stream || followed.includes(publication)) return;
      followed = [...followed, publication];
      await stream.close();
    },
    async close() {
      closed.abort();
      await stream?.close();
      await running;
    },
  };
}

/** Turns pgoutput messages into changes: puts relation and commit time to each. */
function createDecoder(onChange: (change: RowChange) => void): (message: Buffer) => void {
  const relations = new Map<number, Relation>();
  let commitTimestamp = "";
  const relationOf = (oid: number): Relation => {
    const relation = relations.get(oid);
    if (!relation) throw new Error(`pgoutput: change of unknown relation ${oid}`);
    return relation;
  };
  return (data) => {
    const message = decodePgoutput(data);
    if (!message) return;
    if (message.tag === "begin") commitTimestamp = new Date(message.commitTimeMs).toISOString();
    else if (message.tag === "relation") relations.set(message.relation.oid, message.relation);
    else {
      const relation = relationOf(message.oid);
      const row = message.tag === "delete" ? undefined : message.row;
      const old = message.tag === "insert" ? undefined : message.old;
      const type = message.tag.toUpperCase() as RowChange["type"];
      onChange({ type, relation, row, old, commitTimestamp });
    }
  };
}
