import type { Claim, Poll, Report, ReportResult, SubmissionResult, SubmitResult } from "@podbase/core";
import postgres from "postgres";

/**
 * One database session that calls the engine's functions under a virtual clock (`podbase.now`). The clock's setting
 * and the call travel together, so that a call costs one round trip.
 */
export class EngineSession {
  readonly #pool: postgres.Sql;
  readonly #sql: postgres.ReservedSql;
  /** The engine's clock in ms since the epoch; sent with every call. */
  now = Date.now();

  private constructor(pool: postgres.Sql, sql: postgres.ReservedSql) {
    this.#pool = pool;
    this.#sql = sql;
  }

  static async open(url: string): Promise<EngineSession> {
    const pool = postgres(url, { max: 1, onnotice: () => {} });
    return new EngineSession(pool, await pool.reserve());
  }

  /** Any statement, under the virtual clock. */
  async query<T extends object = Record<string, unknown>>(
    strings: TemplateStringsArray,
    ...values: postgres.ParameterOrFragment<never>[]
  ): Promise<T[]> {
    const clock = this.#sql`select set_config('podbase.now', ${new Date(this.now).toISOString()}, false)`;
    const [, rows] = await Promise.all([clock, this.#sql<T[]>(strings, ...values)]);
    return rows as unknown as T[];
  }

  /** A value as a jsonb parameter. */
  json(value: unknown) {
    return this.#sql.json(value as never);
  }

  async #call<T>(rows: Promise<{ r: T }[]>): Promise<T> {
    return ((await rows)[0] as { r: T }).r;
  }

  configure = (config: unknown) => this.query`select podbase.configure(${this.json(config)})`;
  submit = (request: unknown) =>
    this.#call(this.query<{ r: SubmitResult }>`select podbase.submit_job(${this.json(request)}) as r`);
  claim = (limit: number) =>
    this.#call(this.query<{ r: Claim[] }>`select podbase.claim_tasks(${limit}) as r`);
  record = (results: SubmissionResult[]) =>
    this.#call(this.query<{ r: number }>`select podbase.record_submissions(${this.json(results)}) as r`);
  report = (report: Report) =>
    this.#call(this.query<{ r: ReportResult }>`select podbase.record_report(${this.json(report)}) as r`);
  polls = (limit: number) => this.#call(this.query<{ r: Poll[] }>`select podbase.claim_polls(${limit}) as r`);
  cancels = (limit: number) =>
    this.#call(this.query<{ r: Poll[] }>`select podbase.claim_cancels(${limit}) as r`);
  recordCancels = (attempts: string[]) =>
    this.#call(this.query<{ r: number }>`select podbase.record_cancels(${attempts}::uuid[]) as r`);
  tick = () => this.query`select podbase_private.tick()`;

  /** Cancels or retries a job, or the task `id` of one, as a signed-in user; returns the SQLSTATE of a refusal. */
  async asUser(
    user: string,
    verb: "cancel" | "retry",
    what: "job" | "task",
    id: string,
  ): Promise<string | null> {
    await this
      .query`select set_config('request.jwt.claims', ${JSON.stringify({ sub: user, role: "authenticated" })}, false),
                            set_config('role', 'authenticated', false)`;
    try {
      await this.query`select ${this.#sql(`podbase.${verb}_${what}`)}(${id})`;
      return null;
    } catch (error) {
      if (error instanceof postgres.PostgresError) return error.code;
      throw error;
    } finally {
      await this.query`select set_config('role', 'none', false), set_config('request.jwt.claims', '', false)`;
    }
  }

  async close(): Promise<void> {
    this.#sql.release();
    await this.#pool.end();
  }
}
