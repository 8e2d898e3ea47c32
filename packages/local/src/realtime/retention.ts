import type { Pool } from "./connect-like.ts";

const HOUR_MS = 60 * 60 * 1000;

/**
 * Deletes messages older than 72 hours, the age at which hosted Realtime drops a day's partition, now and then every
 * hour. Returns what stops it.
 */
export async function startRetention(pool: Pool, log: (message: string) => void): Promise<() => void> {
  const prune = () => pool.sql`
    delete from realtime.messages where inserted_at < (now() at time zone 'utc') - interval '72 hours'`;
  await prune();
  const timer = setInterval(() => {
    prune().catch((error: Error) => log(`realtime: old messages stay: ${error.message}`));
  }, HOUR_MS);
  timer.unref();
  return () => clearInterval(timer);
}
