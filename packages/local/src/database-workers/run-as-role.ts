import postgres from "postgres";
import { patientSocket } from "../patient-socket.ts";

/** What `runAsRole` needs of a job. */
export interface RoleCommand {
  command: string;
  database: string;
  username: string;
}

/**
 * Runs SQL in a session of its own, as the given login role with that role's settings, the way a background worker of
 * Postgres would. Returns the last statement's command tag. `started` gets the session's process id first.
 */
export async function runAsRole(
  superuserUrl: string,
  { command, database, username }: RoleCommand,
  started: (pid: number) => Promise<void>,
): Promise<string> {
  const url = new URL(superuserUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  const sql = postgres(url.href, {
    max: 1,
    prepare: false,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: "pg_cron" },
    socket: patientSocket(0),
  } as postgres.Options<Record<string, never>>);
  try {
    const [session] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    if (!session) throw new Error("the session has no id");
    await started(session.pid);
    await sql`
      select set_config(split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1), false)
      from pg_db_role_setting, unnest(setconfig) as setting
      where setrole in (0, (select oid from pg_roles where rolname = ${username}))
        and setdatabase in (0, (select oid from pg_database where datname = current_database()))
      order by setrole, setdatabase`;
    await sql.unsafe(`set session authorization ${quoteIdentifier(username)}`);
    const results = (await sql.unsafe(command).simple()) as unknown;
    return commandTag(results as postgres.RowList<postgres.Row[]> | postgres.RowList<postgres.Row[]>[]);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function commandTag(results: postgres.RowList<postgres.Row[]> | postgres.RowList<postgres.Row[]>[]): string {
  // One statement gives its result, several give a list of results; a result is itself an array of rows.
  const last = "command" in results ? results : results.at(-1);
  if (last === undefined || !("command" in last)) return "";
  return last.count === null ? last.command : `${last.command} ${last.count}`;
}
