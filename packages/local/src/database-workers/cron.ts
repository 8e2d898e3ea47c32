import postgres from "postgres";
import { patientSocket } from "../patient-socket.ts";
import { type CronJob, CronTimetable } from "./cron-timetable.ts";
import { runAsRole } from "./run-as-role.ts";

/** Options of a database worker. */
export interface WorkerOptions {
  /** As `supabase_admin`, to the database whose tables the worker serves. */
  superuserUrl: string;
  log: (message: string) => void;
}

/** Options of `startCron`. */
export interface CronOptions extends WorkerOptions {
  /** Longest time without a look at the table of jobs, in milliseconds. */
  rereadMs?: number;
}

/** A worker that runs until it is stopped; errors go to its log and its tables, never up. */
export interface Worker {
  stop(): Promise<void>;
}

const TICK_MS = 200;
/** Nothing here is a transaction, so there is nothing to outlast. */
const LOST_CONNECTION_GRACE_MS = 100;
/** A notice may never come: after a server's restart the driver may connect again and not listen again. */
const REREAD_MS = 5000;

/**
 * Runs the jobs of the stand-in for pg_cron: in GMT, one run of a job at a time, as the job's user in the job's
 * database, each with a row in `cron.job_run_details`. Knows of new jobs at once, from the table's trigger, or within seconds.
 */
export async function startCron({ superuserUrl, log, rereadMs = REREAD_MS }: CronOptions): Promise<Worker> {
  const sql = postgres(superuserUrl, {
    max: 2,
    onnotice: () => {},
    connection: { application_name: "pg_cron scheduler" },
    socket: patientSocket(LOST_CONNECTION_GRACE_MS),
  } as postgres.Options<Record<string, never>>);
  const timetable = new CronTimetable(Date.now(), (job, error) =>
    log(`cron: job ${job.jobid} has a schedule that can't be read: ${error.message}`),
  );
  const running = new Set<Promise<void>>();
  const sessions = new Set<number>();

  const readJobs = async () => {
    const [found] = await sql`select to_regclass('cron.job') is not null as installed`;
    if (!found?.installed) return;
    const jobs = await sql<CronJob[]>`
      select jobid, schedule, command, database, username from cron.job where active order by jobid`;
    timetable.replaceJobs(jobs, Date.now());
  };
  const failAbandonedRuns = async () => {
    const [found] = await sql`select to_regclass('cron.job_run_details') is not null as installed`;
    if (!found?.installed) return;
    await sql`
      update cron.job_run_details set status = 'failed', return_message = 'server restarted', end_time = now()
      where status in ('starting', 'running')`;
  };
  const logged = (work: Promise<void>): Promise<void> =>
    work.catch((error: Error) => log(`cron: ${error.message}`));

  await failAbandonedRuns();
  await sql.listen(
    "pg_cron",
    () => logged(readJobs()),
    () => void logged(readJobs()),
  );
  const reader = setInterval(() => logged(readJobs()), rereadMs);
  const ticker = setInterval(() => {
    for (const job of timetable.takeDue(Date.now())) {
      const run = logged(runJob(sql, superuserUrl, job, sessions)).then(() => {
        timetable.finished(job.jobid);
        running.delete(run);
      });
      running.add(run);
    }
  }, TICK_MS);

  return {
    async stop() {
      clearInterval(ticker);
      clearInterval(reader);
      // As a shutdown of Postgres would; the runs are recorded as failed.
      await logged(
        sql`select pg_terminate_backend(pid) from unnest(${[...sessions]}::int[]) as pid`.then(() => {}),
      );
      await Promise.all(running);
      await sql.end({ timeout: 1 });
    },
  };
}

async function runJob(
  sql: postgres.Sql,
  superuserUrl: string,
  job: CronJob,
  sessions: Set<number>,
): Promise<void> {
  const [details] = await sql<{ runid: string }[]>`
    insert into cron.job_run_details (jobid, database, username, command, status, start_time)
    values (${job.jobid}, ${job.database}, ${job.username}, ${job.command}, 'starting', now())
    returning runid`;
  const runid = details?.runid as string;
  let session: number | undefined;
  const finish = async (status: string, message: string) => {
    await sql`
      update cron.job_run_details set status = ${status}, return_message = ${message}, end_time = now()
      where runid = ${runid}`;
  };
  try {
    const message = await runAsRole(superuserUrl, job, async (pid) => {
      session = pid;
      sessions.add(pid);
      await sql`update cron.job_run_details set status = 'running', job_pid = ${pid} where runid = ${runid}`;
    });
    await finish("succeeded", message);
  } catch (error) {
    const { message, detail, hint } = error as postgres.PostgresError;
    const more = [detail && `DETAIL:  ${detail}`, hint && `HINT:  ${hint}`].filter(Boolean);
    await finish("failed", [`ERROR:  ${message}`, ...more].join("\n"));
  } finally {
    if (session !== undefined) sessions.delete(session);
  }
}
