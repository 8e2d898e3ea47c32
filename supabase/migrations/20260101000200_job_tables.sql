-- What a user sees of a job. Ids are uuid v4; times come from podbase_private.now(); status columns change only in the
-- engine's functions.
--
-- What the API exposes has foreign keys, because PostgREST embeds tasks and artifacts in jobs by them
-- (postgrest.org, resource embedding). The engine's own rows have none: they are written by those who hold the job's row
-- lock (or, claiming, the lock of the task's schedule) and go with it by a trigger; a foreign key on each would lock its
-- parent's row once more at every write. Status updates touch no indexed column, so that they stay on their page.

-- One request of one user. Status, phase, progress and version follow from its tasks (podbase_private.publish).
-- Here and in the tables of the engine, what never changes stands first: an update then writes to the log only what
-- follows it (heap_xlog_update keeps a common prefix out). No checks on hot rows: Postgres reads a check's text anew at
-- every statement; the engine's functions and the guard of status see to all that checks could say.
create table podbase.jobs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  kind text not null,
  idempotency_key text,
  created_at timestamptz not null default podbase_private.now(),
  input jsonb not null,
  -- Tasks of the plan, with the items of its maps.
  task_count int not null default 1,
  status podbase.job_status not null default 'queued',
  phase podbase.phase not null default 'queued',
  -- Rises by one a published change; clients keep the highest.
  version bigint not null default 1,
  -- Between 0 and 1.
  progress real,
  updated_at timestamptz not null default podbase_private.now(),
  started_at timestamptz,
  -- Set exactly when the status is a terminal one.
  finished_at timestamptz,
  -- When the owner's app last said that the result was shown.
  seen_at timestamptz,
  -- When retention emptied input and outputs (podbase_private.settings.keep_payloads).
  trimmed_at timestamptz,
  -- A soft word to the person: {code, since, message, eta?}. Never changes the status.
  notice jsonb,
  -- Why it failed: {code, message}. Only on failed jobs.
  error jsonb
) with (fillfactor = 80);
create unique index jobs_idempotency on podbase.jobs (user_id, idempotency_key) where idempotency_key is not null;
create index jobs_of_user on podbase.jobs (user_id, created_at desc);
-- For retention. A BRIN index keeps the last update of a job on its page (postgresql.org/docs/17/storage-hot.html).
create index jobs_finished on podbase.jobs using brin (finished_at) with (pages_per_range = 16, autosummarize = on);

-- One step of a job, as the user sees it. Its scheduling half is podbase_private.task_schedule.
create table podbase.tasks (
  id uuid primary key default gen_random_uuid(),
  job_id uuid not null references podbase.jobs (id) on delete cascade,
  user_id uuid not null,
  created_at timestamptz not null default podbase_private.now(),
  -- The plan's name; the items of a map are called name[0], name[1], …
  name text not null,
  status podbase.task_status not null,
  phase podbase.phase not null default 'queued',
  version bigint not null default 1,
  progress real,
  updated_at timestamptz not null default podbase_private.now(),
  started_at timestamptz,
  finished_at timestamptz,
  notice jsonb,
  error jsonb,
  output jsonb,
  unique (job_id, name)
) with (fillfactor = 80);

-- A file that a task left in the private bucket podbase, seen there by the database before the task was completed.
create table podbase.artifacts (
  id uuid primary key default gen_random_uuid(),
  job_id uuid not null references podbase.jobs (id) on delete cascade,
  task_id uuid not null references podbase.tasks (id) on delete cascade,
  user_id uuid not null,
  task text not null,
  name text not null,
  -- <user>/<job>/<task>/<attempt>/<name>, of the job that made it
  path text not null,
  content_type text not null,
  bytes bigint not null check (bytes >= 0),
  sha256 text,
  created_at timestamptz not null default podbase_private.now(),
  unique (task_id, name)
);
create index artifacts_of_job on podbase.artifacts (job_id);
-- For who may read a file (20260101001100_policies.sql), and whether anybody still has it. Only ever compared.
create index artifacts_of_path on podbase.artifacts using hash (path);
