import type { EngineSession } from "./session.ts";

/** A row of podbase.jobs, as far as the invariants look at it. */
export interface JobRow {
  id: string;
  user_id: string;
  status: string;
  phase: string;
  version: number;
  progress: number;
  error: { code: string } | null;
  finished_at: string | null;
}

/** A row of podbase.tasks with its schedule. */
export interface TaskRow {
  id: string;
  job_id: string;
  name: string;
  status: string;
  phase: string;
  version: number;
  progress: number | null;
  output: unknown;
  error: { code: string } | null;
  finished_at: string | null;
  after: string[];
  optional: boolean;
  submit_policy: string;
  max_attempts: number;
  failures: number;
  ready: boolean;
  run_at: string | null;
  cancel_requested_at: string | null;
  /** It stands for its items, `name[0]` and so on. */
  is_map: boolean;
  /** Its place among the items of its map. */
  item_index: number | null;
}

/** A row of podbase_private.attempts. */
export interface AttemptRow {
  id: string;
  task_id: string;
  number: number;
  state: string;
  endpoint: string;
  provider_id: string | null;
  next_check_at: string | null;
  failure_class: string | null;
  created_at: string;
  submitted_at: string | null;
}

/** The items of a map, in their order, among the tasks of its job. */
export const itemsOf = (map: TaskRow, siblings: TaskRow[]): TaskRow[] =>
  siblings
    .filter((each) => each.item_index !== null && each.name.startsWith(`${map.name}[`))
    .sort((a, b) => (a.item_index as number) - (b.item_index as number));

/** All rows at one moment. */
export interface Observation {
  jobs: JobRow[];
  tasks: TaskRow[];
  attempts: AttemptRow[];
  strangers: unknown[];
}

/** Everything that belongs to a run, in one statement. */
export async function observe(db: EngineSession, user: string, stranger: string): Promise<Observation> {
  const [row] = await db.query<{ seen: Observation }>`
    with mine as (select * from podbase.jobs where user_id = ${user})
    select jsonb_build_object(
      'jobs', (select coalesce(jsonb_agg(to_jsonb(j) order by j.id), '[]') from mine j),
      'tasks', (select coalesce(jsonb_agg(to_jsonb(t) || jsonb_build_object(
          'after', s.after, 'optional', s.optional, 'submit_policy', s.submit_policy,
          'max_attempts', s.max_attempts, 'failures', s.failures, 'ready', s.ready_key is not null,
          'run_at', s.run_at, 'cancel_requested_at', s.cancel_requested_at,
          'is_map', s.map is not null, 'item_index', s.item_index) order by t.id), '[]')
        from podbase.tasks t join podbase_private.task_schedule s on s.task_id = t.id
        where t.job_id in (select id from mine)),
      'attempts', (select coalesce(jsonb_agg(to_jsonb(a) - 'token_hash' order by a.task_id, a.number), '[]')
        from podbase_private.attempts a where a.job_id in (select id from mine)),
      'strangers', (select jsonb_agg(to_jsonb(j) || jsonb_build_object('tasks',
          (select jsonb_agg(to_jsonb(t)) from podbase.tasks t where t.job_id = j.id)) order by j.id)
        from podbase.jobs j where j.user_id = ${stranger})
    ) as seen`;
  return (row as { seen: Observation }).seen;
}
