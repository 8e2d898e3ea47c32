import type { Claim, ReportResult, SubmitResult } from "@podbase/core";
import type { Sql } from "postgres";
import { INPUT, OUTPUT } from "./payload.ts";

/** The route of all measured tasks. */
export const ROUTE = "bench";
const KIND = "bench";
const PLAN = { tasks: [{ name: "work", route: ROUTE }] };

/** Which calls for many at once this engine has beyond the contract. */
export interface Features {
  submitMany: boolean;
  reportMany: boolean;
}

/** Looks for `submit_jobs(jsonb)` and `record_reports(jsonb)`. */
export async function findFeatures(sql: Sql): Promise<Features> {
  const [row] = await sql<Features[]>`
    select to_regprocedure('podbase.submit_jobs(jsonb)') is not null as "submitMany",
           to_regprocedure('podbase.record_reports(jsonb)') is not null as "reportMany"`;
  return row as Features;
}

const request = (user: string) => ({ user, kind: KIND, input: INPUT, plan: PLAN });

const completion = ({ attempt, token, kind, task }: Claim) => ({
  attempt,
  token,
  kind,
  task,
  source: "webhook",
  status: "COMPLETED",
  output: OUTPUT,
  delayTime: 900,
  executionTime: 2500,
});

/** The engine's calls as the Edge Functions make them, one round trip and one transaction each. */
export const engine = {
  /**
   * Sets the one endpoint. Closed, nothing is claimed, so that submissions only queue; open, no cap is in the way,
   * because RunPod's limits are not what is measured.
   */
  async configure(sql: Sql, open: boolean): Promise<void> {
    const endpoint = { providerId: "bench", enabled: open, maxInFlight: 1_000_000, maxRunsPer10s: 1_000_000 };
    await sql`select podbase.configure(${sql.json({ endpoints: { bench: endpoint }, routes: { [ROUTE]: ["bench"] } })})`;
  },

  async submit(sql: Sql, user: string): Promise<SubmitResult> {
    return result(await sql`select podbase.submit_job(${sql.json(request(user))}) as result`);
  },

  /** Needs the feature `submitMany`. */
  async submitMany(sql: Sql, users: string[]): Promise<void> {
    await sql`select podbase.submit_jobs(${sql.json(users.map(request))}) as result`;
  },

  async claim(sql: Sql, limit: number): Promise<Claim[]> {
    return result(await sql`select podbase.claim_tasks(${limit}) as result`);
  },

  async accept(sql: Sql, claims: Claim[]): Promise<void> {
    const accepted = claims.map(({ attempt }) => ({
      attempt,
      outcome: "accepted",
      providerId: `${attempt}-u1`,
    }));
    await sql`select podbase.record_submissions(${sql.json(accepted)}) as result`;
  },

  /** RunPod refuses for now: the task is put off by weeks. */
  async putOff(sql: Sql, claim: Claim): Promise<void> {
    const rejected = [
      { attempt: claim.attempt, outcome: "rejected", class: "rate_limited", retryAfterMs: 2_000_000_000 },
    ];
    await sql`select podbase.record_submissions(${sql.json(rejected)}) as result`;
  },

  /** Gives the claims that the report brings along. Throws unless it was applied. */
  async complete(sql: Sql, claim: Claim): Promise<Claim[]> {
    const { verdict, claims } = result<ReportResult>(
      await sql`select podbase.record_report(${sql.json(completion(claim))}) as result`,
    );
    if (verdict !== "applied") throw new Error(`a first completion was ${verdict}`);
    return claims;
  },

  /** Needs the feature `reportMany`. */
  async completeMany(sql: Sql, claims: Claim[]): Promise<Claim[]> {
    const results = result<ReportResult[]>(
      await sql`select podbase.record_reports(${sql.json(claims.map(completion))}) as result`,
    );
    return results.flatMap((one) => one.claims);
  },

  async claimPolls(sql: Sql, limit: number): Promise<unknown[]> {
    return result(await sql`select podbase.claim_polls(${limit}) as result`);
  },
};

const result = <T>(rows: readonly unknown[]): T => (rows[0] as { result: T }).result;
