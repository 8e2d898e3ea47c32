import type { Usage } from "../core/usage.ts";
import { Problem } from "./problem.ts";

/** An endpoint's bill: how long its workers ran, and what one of them costs in USD a second. */
export interface Account {
  readonly id: string;
  readonly usage: Usage;
  price(): number;
}

interface Amounts {
  totalAmount: number;
  gpuAmount: number;
  cpuAmount: number;
  diskAmount: number;
  feeAmount: number;
}

const BUCKETS = ["hour", "day", "week", "month", "year"] as const;
type Bucket = (typeof BUCKETS)[number];

const DAY_MS = 86_400_000;
const DEFAULT_RANGE_MS = 30 * DAY_MS;

/** GET /v2/billing/serverless: what the workers that ran have cost. Throws a {@link Problem}. */
export const serverlessBilling = (accounts: readonly Account[], query: URLSearchParams, now: number) => {
  const bucketSize = oneOf(query.get("bucketSize") ?? "day");
  const { from, to } = rangeOf(query, bucketSize, now);
  const serverlessId = query.get("serverlessId");
  const records = accounts
    .filter(({ id }) => serverlessId === null || id === serverlessId)
    .flatMap((account) => recordsOf(account, bucketSize, { from, to, now }))
    .sort((a, b) => a.startTime.localeCompare(b.startTime) || a.serverlessId.localeCompare(b.serverlessId));
  const total = records.reduce((sum, { totalAmount }) => sum + totalAmount, 0);
  return {
    records,
    metadata: {
      query: { startTime: iso(from), endTime: iso(to), bucketSize, serverlessId },
      recordCount: records.length,
      uniqueServerlessCount: new Set(records.map((record) => record.serverlessId)).size,
      totals: amounts(total),
    },
  };
};

const recordsOf = (
  { id, usage, price }: Account,
  bucket: Bucket,
  { from, to, now }: { from: number; to: number; now: number },
) => {
  const byBucket = new Map<number, number>();
  for (const [hour, ms] of usage.byHour(now)) {
    const start = startOf(bucket, hour);
    if (start >= from && start < to) byBucket.set(start, (byBucket.get(start) ?? 0) + ms);
  }
  return [...byBucket].map(([start, ms]) => ({
    startTime: iso(start),
    endTime: iso(move(bucket, start, 1)),
    serverlessId: id,
    ...amounts((ms / 1000) * price()),
  }));
};

/** Only GPUs are simulated. */
const amounts = (usd: number): Amounts => ({
  totalAmount: usd,
  gpuAmount: usd,
  cpuAmount: 0,
  diskAmount: 0,
  feeAmount: 0,
});

interface Range {
  from: number;
  to: number;
}

const rangeOf = (query: URLSearchParams, bucket: Bucket, now: number): Range => {
  const range = askedRangeOf(query, bucket, now);
  // Beyond what a date can be.
  if (Object.values(range).some((time) => Number.isNaN(new Date(time).getTime())))
    throw new Problem(400, "the range is too long");
  return range;
};

const askedRangeOf = (query: URLSearchParams, bucket: Bucket, now: number): Range => {
  const [lastN, startTime, endTime] = ["lastN", "startTime", "endTime"].map((name) => query.get(name));
  if (lastN) {
    if (startTime || endTime) throw new Problem(400, "lastN and startTime/endTime exclude each other");
    if (!/^[1-9]\d*$/.test(lastN)) throw new Problem(400, "lastN must be a number from 1");
    const current = startOf(bucket, now);
    return { from: move(bucket, current, 1 - Number(lastN)), to: move(bucket, current, 1) };
  }
  const start = timeOf(startTime, now - DEFAULT_RANGE_MS);
  const end = timeOf(endTime, now);
  const lastBucket = startOf(bucket, end);
  return { from: startOf(bucket, start), to: lastBucket === end ? end : move(bucket, lastBucket, 1) };
};

const oneOf = (name: string): Bucket => {
  const bucket = BUCKETS.find((known) => known === name);
  if (!bucket) throw new Problem(400, `bucketSize must be one of ${BUCKETS.join(", ")}`);
  return bucket;
};

const timeOf = (text: string | null | undefined, otherwise: number): number => {
  const time = text ? Date.parse(text) : otherwise;
  if (Number.isNaN(time)) throw new Problem(400, `not an RFC 3339 time: ${text}`);
  return time;
};

const iso = (time: number): string => new Date(time).toISOString();

/** The start of the bucket that holds this time. Buckets are those of UTC, weeks begin on Monday. */
const startOf = (bucket: Bucket, time: number): number => {
  const date = new Date(time);
  if (bucket === "hour") return date.setUTCMinutes(0, 0, 0);
  date.setUTCHours(0, 0, 0, 0);
  if (bucket === "week") date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  if (bucket === "month") date.setUTCDate(1);
  if (bucket === "year") date.setUTCMonth(0, 1);
  return date.getTime();
};

/** The start of the bucket so many after (or before) the one that starts then. */
const move = (bucket: Bucket, start: number, by: number): number => {
  const date = new Date(start);
  if (bucket === "hour") return start + by * 3_600_000;
  if (bucket === "day") return start + by * DAY_MS;
  if (bucket === "week") return start + by * 7 * DAY_MS;
  return bucket === "month"
    ? date.setUTCMonth(date.getUTCMonth() + by)
    : date.setUTCFullYear(date.getUTCFullYear() + by);
};
