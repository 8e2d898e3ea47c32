import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { patientSocket } from "../patient-socket.ts";
import type { Worker, WorkerOptions } from "./cron.ts";
import { type QueuedRequest, sendRequest } from "./net-request.ts";

/** Options of `startNet`. */
export interface NetOptions extends WorkerOptions {
  /** Rest between two batches in milliseconds; pg_net's is one second. */
  pauseMs?: number;
  /** Longest rest without a look at the queue, in milliseconds. */
  sweepMs?: number;
}

const BATCH_SIZE = 200;
/** A batch's transaction pauses for as long as its slowest request, which is 5 s for all that Podbase sends. */
const LOST_CONNECTION_GRACE_MS = 6000;
const RESPONSE_TTL = "6 hours";
/** A notice may never come: after a server's restart the driver may connect again and not listen again. */
const SWEEP_MS = 5000;

/**
 * Sends what the stand-in for pg_net queued, with pg_net's ways (github.com/supabase/pg_net, `src/worker.c`): up to 200
 * requests a batch, oldest first; a batch is one transaction, ends with its slowest request and shows all its responses
 * then; a crash in between sends the batch again. Woken by commits, and sweeps every few seconds what no notice told of.
 */
export async function startNet(options: NetOptions): Promise<Worker> {
  const { superuserUrl, log, pauseMs = 1000, sweepMs = SWEEP_MS } = options;
  const connect = (onclose: () => void = () => {}) =>
    postgres(superuserUrl, {
      max: 1,
      onnotice: () => {},
      connection: { application_name: "pg_net worker" },
      socket: patientSocket(LOST_CONNECTION_GRACE_MS),
      onclose,
    } as postgres.Options<Record<string, never>>);
  /** A session for batches. `lost` rejects with its connection: what it was asked then may never be answered. */
  const open = () => {
    let lose = () => {};
    const lost = new Promise<never>((_, reject) => {
      lose = () => reject(new Error("the session of the batch is gone"));
    });
    // Whoever has a batch under way hears of it; a session that rests has nobody to tell.
    lost.catch(() => {});
    return { sql: connect(() => lose()), lost };
  };
  const listener = connect();
  let session = open();
  const stopping = new AbortController();
  let wakeUp: (() => void) | undefined;
  let awake = true;
  const wake = () => {
    awake = true;
    wakeUp?.();
  };

  const work = async () => {
    while (!stopping.signal.aborted) {
      if (!awake) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, sweepMs);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        if (stopping.signal.aborted) return;
      }
      awake = false;
      try {
        const sent = await Promise.race([sendBatch(session.sql, stopping.signal), session.lost]);
        if (sent === 0) continue;
        awake = true;
      } catch (error) {
        if (stopping.signal.aborted) return;
        log(`net: ${(error as Error).message}`);
        awake = true;
        // As a background worker of Postgres would: what a broken session left behind is not worth trusting.
        void session.sql.end({ timeout: 0 }).catch(() => {});
        session = open();
      }
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };

  await listener.listen("pg_net", wake, wake);
  const working = work();
  return {
    async stop() {
      stopping.abort();
      wake();
      await working;
      await Promise.all([session.sql.end({ timeout: 1 }), listener.end({ timeout: 1 })]);
    },
  };
}

/** One batch in one transaction; how many requests it held. Rejects, and so rolls back, when `signal` fires. */
async function sendBatch(sql: postgres.Sql, signal: AbortSignal): Promise<number> {
  const [found] = await sql`select to_regclass('net.http_request_queue') is not null as installed`;
  if (!found?.installed) return 0;
  return sql.begin(async (tx) => {
    await tx`
      delete from net._http_response where ctid in (
        select ctid from net._http_response where created < now() - ${RESPONSE_TTL}::interval
        order by created limit ${BATCH_SIZE}
      )`;
    const requests = await tx<QueuedRequest[]>`
      delete from net.http_request_queue where id in (
        select id from net.http_request_queue order by id limit ${BATCH_SIZE}
      ) returning id, method, url, headers, body, timeout_milliseconds`;
    const responses = await Promise.all(requests.map((request) => sendRequest(request, signal)));
    signal.throwIfAborted();
    for (const response of responses) {
      const headers = response.headers === null ? null : tx.json(response.headers);
      await tx`
        insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
        values (${response.id}, ${response.status_code}, ${response.content_type}, ${headers},
                ${response.content}, ${response.timed_out}, ${response.error_msg})`;
    }
    return requests.length;
  });
}
