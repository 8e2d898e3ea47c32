import type { Claim, Poll, ReportResult } from "@podbase/core";
import fc from "fast-check";
import postgres from "postgres";

/** A job of the crowd: its owner, and its tasks' number. */
export interface CrowdJob {
  id: string;
  user: string;
}

/** What all connections of a crowd share. */
export interface Crowd {
  url: string;
  /** Every attempt that was handed out, in the order in which the answers came. */
  claims: Claim[];
  jobs: CrowdJob[];
  /** Chances of one in so many, per attempt: a failure, a doubled webhook, a cancel by the owner. */
  oneIn: { fails: number; doubles: number; cancels: number };
  seed: number;
}

/**
 * One connection of many that do all at once: claims, answers of RunPod, calls of workers, webhooks (some doubled),
 * failures, cancels by owners and at RunPod, ticks. Goes on until no job is open; any error, a deadlock before all,
 * is thrown.
 */
export async function member(crowd: Crowd, number: number): Promise<void> {
  const sql = postgres(crowd.url, { max: 1, onnotice: () => {} });
  const chance = numbers(crowd.seed + number);
  const call = async <T>(rows: Promise<readonly postgres.Row[]>): Promise<T> => (await rows)[0]?.r as T;
  const report = (claim: Claim, more: object) =>
    call<ReportResult>(
      sql`select podbase.record_report(${sql.json({
        attempt: claim.attempt,
        kind: claim.kind,
        task: claim.task,
        token: claim.token,
        source: "webhook",
        ...more,
      })}) as r`,
    );

  /** All of an attempt's life at RunPod. What its end made ready is taken on as well. */
  const live = async (claim: Claim): Promise<Claim[]> => {
    const started = await report(claim, { source: "worker", status: "IN_PROGRESS" });
    const end = !started.proceed
      ? { status: "COMPLETED", output: { podbase: { stopped: true } } }
      : chance(crowd.oneIn.fails)
        ? { status: "FAILED", error: "job timed out after 3 retries" }
        : { status: "COMPLETED", output: { by: claim.attempt } };
    const { claims } = await report(claim, end);
    if (!chance(crowd.oneIn.doubles)) return claims;
    // Another attempt's webhook comes again, perhaps while its own connection is at work on it.
    const other = crowd.claims[chance.index(crowd.claims.length)] as Claim;
    const again = await report(other, { status: "COMPLETED", output: { by: other.attempt } });
    return [...claims, ...again.claims];
  };

  const cancel = async (): Promise<void> => {
    const job = crowd.jobs[chance.index(crowd.jobs.length)] as CrowdJob;
    await sql.begin(async (tx) => {
      await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: job.user, role: "authenticated" })}, true),
                      set_config('role', 'authenticated', true)`;
      await tx`select podbase.cancel_job(${job.id})`;
    });
    const due = await call<Poll[]>(sql`select podbase.claim_cancels(20) as r`);
    if (due.length > 0) await sql`select podbase.record_cancels(${due.map((each) => each.attempt)}::uuid[])`;
  };

  try {
    for (;;) {
      const taken = await call<Claim[]>(sql`select podbase.claim_tasks(5) as r`);
      if (taken.length === 0) {
        await sql`select podbase_private.tick()`;
        const [row] = await sql`select exists (select from podbase.jobs where finished_at is null) as open`;
        if (!row?.open) return;
      }
      for (let work = taken; work.length > 0; ) {
        crowd.claims.push(...work);
        await sql`select podbase.record_submissions(${sql.json(
          work.map(({ attempt }) => ({ attempt, outcome: "accepted", providerId: `rp-${attempt}` })),
        )})`;
        const next: Claim[] = [];
        for (const claim of work) next.push(...(await live(claim)));
        if (chance(crowd.oneIn.cancels)) await cancel();
        work = next;
      }
    }
  } finally {
    await sql.end();
  }
}

/** Seeded chance: true one time in `n`, and indexes under `n`. Without bias: fast-check prefers small numbers otherwise. */
function numbers(seed: number) {
  const stream = fc.sample(fc.infiniteStream(fc.noBias(fc.nat({ max: 2 ** 30 }))), {
    numRuns: 1,
    seed,
  })[0] as IterableIterator<number>;
  const next = (): number => stream.next().value as number;
  return Object.assign((n: number) => next() % n === 0, { index: (n: number) => next() % n });
}

/** The most live attempts at each endpoint and of each user that a connection saw that did nothing but look. */
export async function sample(url: string, until: Promise<unknown>) {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const most = { endpoints: {} as Record<string, number>, users: {} as Record<string, number>, samples: 0 };
  let over = false;
  const end = () => {
    over = true;
  };
  until.then(end, end);
  try {
    while (!over) {
      const rows = await sql<{ endpoint: string; user: string; n: number }[]>`
        select a.endpoint, s.user_id as user, count(*)::int as n from podbase_private.attempts a
        join podbase_private.task_schedule s on s.task_id = a.task_id
        where a.next_check_at is not null group by 1, 2`;
      most.samples++;
      for (const kind of ["endpoint", "user"] as const) {
        const sums: Record<string, number> = {};
        for (const row of rows) sums[row[kind]] = (sums[row[kind]] ?? 0) + row.n;
        for (const [name, n] of Object.entries(sums)) {
          most[`${kind}s`][name] = Math.max(most[`${kind}s`][name] ?? 0, n);
        }
      }
    }
    return most;
  } finally {
    await sql.end();
  }
}

/** Jain's fairness index: 1 when all have the same, 1/n when one has everything. */
export function jain(shares: number[]): number {
  const sum = shares.reduce((all, share) => all + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((all, share) => all + share ** 2, 0));
}
