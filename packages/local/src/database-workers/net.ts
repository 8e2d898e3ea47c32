import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { patientSocket } from "../patient-socket.ts";
import type { Worker, WorkerOptions } from "./cron.ts";
import { type QueuedRequest, sendRequest } from "./net-request.ts";

/** Options of `startNet`. */
export interface NetOptions extends WorkerOptions {
  /** Rest between two batches in milliseconds; pg_net's is one second. */
  pauseMs?: number;
}

const BATCH_SIZE = 200;
/** A batch's transaction pauses for as long as its slowest request, which is 5 s for all that Podbase sends. */
const LOST_CONNECTION_GRACE_MS = 6000;
const RESPONSE_TTL = "6 hours";

/**
 * Sends what the stand-in for pg_net queued, with pg_net's ways (github.com/supabase/pg_net, `src/worker.c`): up to 200
 * requests a batch, oldest first; a batch is one transaction, ends with its slowest request and shows all its responses
 * then; a crash in between sends the batch again. Woken by commits, and sweeps what an earlier run left.
 */
export async function startNet({ superuserUrl, log, pauseMs = 1000 }: NetOptions): Promise<Worker> {
  const connect = () =>
    postgres(superuserUrl, {
      max: 1,
      onnotice: () => {},
      connection: { application_name: "pg_net worker" },
      socket: patientSocket(LOST_CONNECTION_GRACE_MS),
    } as postgres.Options<Record<string, never>>);
  const listener = connect();
  let sql = connect();
  const stopping = new AbortController();
  let wakeUp: (() => void) | undefined;
  let awake = true;
  let giveUp = () => {};
  const wake = () => {
    awake = true;
    wakeUp?.();
  };

  const work = async () => {
    while (!stopping.signal.aborted) {
      if (!awake) {
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
        continue;
      }
      awake = false;
      try {
        const lost = new Promise<never>((_, reject) => {
          giveUp = () => reject(new Error("the session of the batch is gone"));
        });
        const sent = await Promise.race([sendBatch(sql, stopping.signal), lost]);
        if (sent === 0) continue;
        awake = true;
      } catch (error) {
        if (stopping.signal.aborted) return;
        log(`net: ${(error as Error).message}`);
        awake = true;
        // As a background worker of Postgres would: what a broken session left behind is not worth trusting.
        void sql.end({ timeout: 0 }).catch(() => {});
        sql = connect();
      }
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };

  // It listens anew when the server has restarted, and then no earlier session of the worker is alive.
  await listener.listen("pg_net", wake, () => {
    giveUp();
    wake();
  });
  const working = work();
  return {
    async stop() {
      stopping.abort();
      wake();
      await working;
      await Promise.all([sql.end({ timeout: 1 }), listener.end({ timeout: 1 })]);
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
