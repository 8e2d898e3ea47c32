import { once } from "node:events";
import type { Duplex } from "node:stream";
import type postgres from "postgres";
import { connectLike } from "./connect-like.ts";
import { POSTGRES_EPOCH_MS } from "./pgoutput.ts";

const COPY_DATA = "w".charCodeAt(0);
const KEEPALIVE = "k".charCodeAt(0);
const STATUS = "r".charCodeAt(0);
const STATUS_INTERVAL_MS = 10_000;
const CLOSE_GRACE_MS = 1000;

/** A running logical replication of pgoutput messages. */
export interface ReplicationStream {
  /** Settles when the stream is over: rejects when it broke, resolves after `close`. */
  done: Promise<void>;
  close(): Promise<void>;
}

/**
 * Follows `publications` from now on and hands over every message. The slot is temporary: it goes with the connection,
 * so an absent reader never keeps Postgres from recycling WAL. Rejects when Postgres can't be reached.
 */
export async function openReplication(
  sql: postgres.Sql,
  slot: string,
  publications: string[],
  onMessage: (message: Buffer) => void,
): Promise<ReplicationStream> {
  const client = connectLike(sql, { max: 1, replication: true });
  try {
    // Replication commands are read case-sensitively.
    await client.unsafe(`CREATE_REPLICATION_SLOT ${slot} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`);
    const names = publications.map((name) => `"${name}"`).join(",");
    const query = client.unsafe(
      `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names '${names}')`,
    );
    return follow(client, (await query.writable()) as Duplex, onMessage);
  } catch (error) {
    await client.end({ timeout: 0 });
    throw error;
  }
}

function follow(
  client: postgres.Sql,
  stream: Duplex,
  onMessage: (message: Buffer) => void,
): ReplicationStream {
  let received = 0n;
  let closing = false;
  const sendStatus = () => {
    if (stream.writable) stream.write(statusUpdate(received));
  };
  const timer = setInterval(sendStatus, STATUS_INTERVAL_MS);
  stream.on("data", (data: Buffer) => {
    if (data[0] === COPY_DATA) {
      received = max(received, data.readBigUInt64BE(1));
      try {
        onMessage(data.subarray(25));
      } catch (error) {
        stream.destroy(error as Error);
      }
    } else if (data[0] === KEEPALIVE) {
      received = max(received, data.readBigUInt64BE(1));
      // Postgres asks before it gives up on us, and at shutdown it waits for this answer.
      if (data[17] === 1) sendStatus();
    }
  });
  const ended = Promise.race([
    once(stream, "end"), // rejects on "error"
    once(stream, "close"),
  ]).then(
    () => new Error("Postgres closed the replication stream"),
    (error: Error) => error,
  );
  const done = ended.then(async (error) => {
    clearInterval(timer);
    stream.on("error", () => {}); // later errors of a stream that is already over
    await client.end({ timeout: 0 });
    if (!closing) throw error;
  });
  return {
    done,
    async close() {
      closing = true;
      stream.end();
      const impatient = setTimeout(() => stream.destroy(), CLOSE_GRACE_MS);
      await done;
      clearTimeout(impatient);
    },
  };
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** https://www.postgresql.org/docs/17/protocol-replication.html#PROTOCOL-REPLICATION-STANDBY-STATUS-UPDATE */
function statusUpdate(received: bigint): Buffer {
  const message = Buffer.alloc(34);
  message[0] = STATUS;
  for (const offset of [1, 9, 17]) message.writeBigUInt64BE(received, offset);
  message.writeBigInt64BE(BigInt(Date.now() - POSTGRES_EPOCH_MS) * 1000n, 25);
  return message;
}
