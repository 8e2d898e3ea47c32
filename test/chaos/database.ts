import type { Database } from "@podbase/core";
import { createTestDatabase } from "@podbase/local/testing";
import postgres from "postgres";
import { afterAll } from "vitest";

/** A migrated database whose engine lives by a clock that the test moves. */
export class ClockedDatabase {
  readonly #pool: postgres.Sql;
  readonly #session: postgres.ReservedSql;
  readonly #drop: () => Promise<void>;
  /** The engine's time, in ms since the epoch. */
  now: () => number = Date.now;

  private constructor(pool: postgres.Sql, session: postgres.ReservedSql, drop: () => Promise<void>) {
    this.#pool = pool;
    this.#session = session;
    this.#drop = drop;
  }

  static async open(): Promise<ClockedDatabase> {
    const database = await createTestDatabase();
    const pool = postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
    return new ClockedDatabase(pool, await pool.reserve(), database.drop);
  }

  /** Any statement at the engine's time. */
  async query<T extends object = Record<string, unknown>>(text: string, ...values: unknown[]): Promise<T[]> {
    const at = new Date(this.now()).toISOString();
    const clock = this.#session`select set_config('podbase.now', ${at}, false)`;
    const [, rows] = await Promise.all([clock, this.#session.unsafe<T[]>(text, values as never[])]);
    return rows as unknown as T[];
  }

  /** One of the engine's functions, `podbase.<name>`. */
  async call<T>(name: string, argument: unknown): Promise<T> {
    const [row] = await this.query<{ result: T }>(`select podbase.${name}($1) as result`, argument);
    return (row as { result: T }).result;
  }

  /** The engine's port: each method is the function of the same name in SQL. */
  port(): Database {
    return new Proxy({} as Database, {
      get: (_, method) => (argument: unknown) =>
        this.call(
          String(method).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          argument,
        ),
    });
  }

  /** Cron's tick. Gives how often it asked for a call of reconcile. */
  async tick(): Promise<number> {
    await this.query("select podbase_private.tick()");
    return (await this.query("delete from net.http_request_queue returning id")).length;
  }

  async close(): Promise<void> {
    this.#session.release();
    await this.#pool.end();
    await this.#drop();
  }
}

/** One for a whole test file. Awaited once, at the top of the file. */
export async function databaseOfFile(): Promise<ClockedDatabase> {
  const database = await ClockedDatabase.open();
  afterAll(() => database.close());
  return database;
}
