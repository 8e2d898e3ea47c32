import postgres from "postgres";

/**
 * A pool of Realtime's own beside `sql`, to the same database as the same user, so that a flood of changes takes no
 * connection from other services. Values print as on a hosted project: UTC, ISO.
 */
export function connectLike(
  sql: postgres.Sql,
  options: { max: number; replication?: boolean },
): postgres.Sql {
  const { host, port, database, user } = sql.options;
  // Typed as null, but parsed options do hold the password.
  const password = sql.options.pass as string | (() => string | Promise<string>) | null;
  return postgres({
    host: host[0],
    port: port[0],
    database,
    username: user,
    password: password ?? "",
    max: options.max,
    connect_timeout: 5,
    onnotice: () => {},
    connection: {
      application_name: "realtime",
      TimeZone: "UTC",
      DateStyle: "ISO",
      IntervalStyle: "postgres",
      bytea_output: "hex",
      ...(options.replication ? { replication: "database" } : {}),
    },
    // A replication connection knows simple statements only, and lasts.
    ...(options.replication ? { fetch_types: false, max_lifetime: null } : {}),
  });
}

/** Connections that can be replaced at once. Read `sql` at each use. */
export interface Pool {
  readonly sql: postgres.Sql;
  /** Goes on with fresh connections: old ones can report the end of an old server to the first who asks again. */
  renew(): void;
  end(): Promise<void>;
}

const END_TIMEOUT_S = 5;

/** A pool of at most `max` connections like those of `sql`. */
export function createPool(like: postgres.Sql, max: number): Pool {
  let current = connectLike(like, { max });
  return {
    get sql() {
      return current;
    },
    renew() {
      void current.end({ timeout: END_TIMEOUT_S });
      current = connectLike(like, { max });
    },
    end: () => current.end({ timeout: END_TIMEOUT_S }),
  };
}
