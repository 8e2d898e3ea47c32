import type { WatchingStack } from "./watching-stack.ts";

/** Puts open jobs into the database, as many rows as asked. */
export const insertJobs = ({ stack }: WatchingStack, user: string, count: number) => stack.sql`
  with made as (
    insert into podbase.jobs (user_id, kind, input)
    select ${user}, 'bulk', '{}' from generate_series(1, ${count}) returning id, user_id
  )
  insert into podbase.tasks (job_id, user_id, name, status) select id, user_id, 'only', 'queued' from made`;

/** Ends all jobs of a user in one transaction, each with its message. */
export const finishJobs = ({ stack }: WatchingStack, user: string) => stack.sql`
  with tasks as (
    update podbase.tasks set status = 'completed', phase = 'done', version = version + 1, finished_at = now()
    where user_id = ${user}
  ), jobs as (
    update podbase.jobs set status = 'completed', phase = 'done', version = version + 1, finished_at = now()
    where user_id = ${user} returning *
  )
  select podbase_private.announce(jobs, jobs.version, null, 'test', 'ended') from jobs`;
