import type { Sql } from "postgres";
import { engine } from "./engine-calls.ts";
import { userId } from "./payload.ts";
import { type BenchServer, SCHEMA, using } from "./server.ts";
import { jain } from "./statistics.ts";

/** How evenly users are served. */
export interface FairnessFigures {
  /** Jobs that the first user had queued when the second submitted one. */
  backlog: number;
  /** Tasks a claim takes. */
  batch: number;
  /** Which claim served the second user, 1 being the next one. */
  servedByBatch: number;
  /** Jain's index over equal users in the first half of their claims. */
  jain: number;
  users: number;
}

const BATCH = 50;
const USERS = 50;
const JOBS_EACH = 20;
const CLIENTS = 8;

/** Measures both cases, each in a fresh database. */
export async function measureFairness(server: BenchServer, backlog: number): Promise<FairnessFigures> {
  const servedByBatch = await inFreshDatabase(server, async (clients) => {
    await submitAll(clients, new Array(backlog).fill(userId(1)));
    const sql = clients[0] as Sql;
    await engine.submit(sql, userId(2));
    await engine.configure(sql, true);
    for (let batch = 1; ; batch++) {
      const claims = await engine.claim(sql, BATCH);
      if (claims.length === 0) throw new Error("the queue ended before the second user was served");
      if (claims.some((claim) => claim.user === userId(2))) return batch;
    }
  });
  const index = await inFreshDatabase(server, async ([first]) => {
    const sql = first as Sql;
    // User after user, the worst order for a plain queue.
    for (let user = 1; user <= USERS; user++) await submitAll([sql], new Array(JOBS_EACH).fill(userId(user)));
    await engine.configure(sql, true);
    const served = new Map<string, number>();
    for (let claimed = 0; claimed < (USERS * JOBS_EACH) / 2; ) {
      const claims = await engine.claim(sql, BATCH);
      for (const { user } of claims) served.set(user, (served.get(user) ?? 0) + 1);
      claimed += claims.length;
      if (claims.length === 0) throw new Error("the queue ended too early");
    }
    return jain(Array.from({ length: USERS }, (_, n) => served.get(userId(n + 1)) ?? 0));
  });
  return { backlog, batch: BATCH, servedByBatch, jain: index, users: USERS };
}

async function inFreshDatabase<T>(server: BenchServer, work: (clients: Sql[]) => Promise<T>): Promise<T> {
  await server.copy(SCHEMA, "bench_fairness");
  try {
    return await using(server.connect("bench_fairness", CLIENTS), async (clients) => {
      await engine.configure(clients[0] as Sql, false);
      return work(clients);
    });
  } finally {
    await server.drop("bench_fairness");
  }
}

/** Submits one job for each entry, some at once. */
async function submitAll(clients: Sql[], users: string[]): Promise<void> {
  const queue = users.values();
  await Promise.all(
    clients.map(async (sql) => {
      for (const user of queue) await engine.submit(sql, user);
    }),
  );
}
