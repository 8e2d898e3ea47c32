import type { Sql } from "postgres";

/** The database's side of the account: everything of the given users' jobs. Times in ms since the epoch. */
export interface Rows {
  jobs: {
    id: string;
    key: string | null;
    status: string;
    version: number;
    finishedAt: number | null;
    error: string | null;
  }[];
  tasks: {
    id: string;
    job: string;
    name: string;
    status: string;
    by: string | null;
    policy: "at_least_once" | "at_most_once";
    declared: number;
  }[];
  attempts: {
    id: string;
    job: string;
    task: string;
    number: number;
    state: string;
    class: string | null;
    runpodJob: string | null;
    claimedAt: number;
    finishedAt: number | null;
  }[];
  artifacts: { job: string; task: string; path: string }[];
  /** Versions in order, with the status of the job and of the task that changed, and why. */
  events: {
    job: string;
    version: number;
    jobStatus: string;
    task: string | null;
    taskStatus: string | null;
    taskPhase: string | null;
    cause: string;
    at: number;
  }[];
}

/** Reads it. The caller needs a role that sees podbase_private. */
export async function readRows(sql: Sql, users: string[]): Promise<Rows> {
  const [jobs, tasks, attempts, artifacts, events] = await Promise.all([
    sql<Rows["jobs"]>`
      select id, idempotency_key as key, status, version::int, error ->> 'code' as error,
        extract(epoch from finished_at)::float * 1000 as "finishedAt"
      from podbase.jobs where user_id = any (${users}::uuid[])`,
    sql<Rows["tasks"]>`
      select t.id, t.job_id as job, t.name, t.status, t.output ->> 'by' as by, s.submit_policy as policy,
        (select count(*)::int from jsonb_object_keys(s.artifacts)) as declared
      from podbase.tasks t join podbase_private.task_schedule s on s.task_id = t.id
      where t.user_id = any (${users}::uuid[])`,
    sql<Rows["attempts"]>`
      select a.id, a.job_id as job, t.name as task, a.number, a.state, a.failure_class as class,
        a.provider_id as "runpodJob",
        extract(epoch from a.created_at)::float * 1000 as "claimedAt", extract(epoch from a.finished_at)::float * 1000 as "finishedAt"
      from podbase_private.attempts a join podbase.tasks t on t.id = a.task_id
      where t.user_id = any (${users}::uuid[]) order by a.number`,
    sql<Rows["artifacts"]>`
      select job_id as job, task, path from podbase.artifacts where user_id = any (${users}::uuid[])`,
    sql<Rows["events"]>`
      select e.job_id as job, e.version::int, e.job_status as "jobStatus", t.name as task,
        e.task_status as "taskStatus", e.task_phase as "taskPhase", e.cause,
        extract(epoch from e.at)::float * 1000 as at
      from podbase_private.job_events e join podbase.jobs j on j.id = e.job_id
      left join podbase.tasks t on t.id = e.task_id
      where j.user_id = any (${users}::uuid[]) order by e.job_id, e.version`,
  ]);
  return { jobs, tasks, attempts, artifacts, events };
}
