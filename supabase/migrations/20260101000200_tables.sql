-- Tables. Ids are uuid v4; times come from podbase_private.now(); status columns change only in the functions of
-- 20260101000500_engine.sql and its neighbours.

-- One request of one user. Status, phase, progress and version follow from its tasks (podbase_private.publish).
create table podbase.jobs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  kind text not null check (char_length(kind) between 1 and 100),
  status podbase.job_status not null default 'queued',
  phase podbase.phase not null default 'queued',
  -- Rises by one a published change; clients keep the highest.
  version bigint not null default 1,
  progress real check (progress between 0 and 1),
  -- A soft word to the person: {code, since, message, eta?}. Never changes the status.
  notice jsonb,
  -- Why it failed: {code, message}. Only on failed jobs.
  error jsonb,
  input jsonb not null,
  idempotency_key text check (char_length(idempotency_key) between 1 and 255),
  created_at timestamptz not null default podbase_private.now(),
  updated_at timestamptz not null default podbase_private.now(),
  started_at timestamptz,
  finished_at timestamptz,
  -- When the owner's app last said that the result was shown.
  seen_at timestamptz,
  check ((finished_at is not null) = (status in ('completed', 'failed', 'canceled'))),
  check (error is null or status = 'failed')
);
create unique index jobs_idempotency on podbase.jobs (user_id, idempotency_key);
create index jobs_of_user on podbase.jobs (user_id, created_at desc);

-- One step of a job, as the user sees it. Its scheduling half is podbase_private.task_schedule.
create table podbase.tasks (
  id uuid primary key default gen_random_uuid(),
  job_id uuid not null references podbase.jobs (id) on delete cascade,
  user_id uuid not null,
  name text not null check (name ~ '^[a-zA-Z][a-zA-Z0-9_-]{0,62}$'),
  status podbase.task_status not null,
  phase podbase.phase not null default 'queued',
  version bigint not null default 1,
  progress real check (progress between 0 and 1),
  notice jsonb,
  error jsonb,
  output jsonb,
  created_at timestamptz not null default podbase_private.now(),
  updated_at timestamptz not null default podbase_private.now(),
  started_at timestamptz,
  finished_at timestamptz,
  unique (job_id, name),
  check ((finished_at is not null) = (status in ('completed', 'failed', 'canceled')))
);
create index tasks_of_user on podbase.tasks (user_id);

-- A file that a task left in the private bucket podbase, seen there by the database before the task was completed.
create table podbase.artifacts (
  id uuid primary key default gen_random_uuid(),
  job_id uuid not null references podbase.jobs (id) on delete cascade,
  task_id uuid not null references podbase.tasks (id) on delete cascade,
  user_id uuid not null,
  task text not null,
  name text not null,
  -- <user>/<job>/<task>/<attempt>/<name>
  path text not null,
  content_type text not null,
  bytes bigint not null check (bytes >= 0),
  sha256 text,
  created_at timestamptz not null default podbase_private.now(),
  unique (task_id, name)
);
create index artifacts_of_job on podbase.artifacts (job_id);
create index artifacts_of_user on podbase.artifacts (user_id);

-- RunPod endpoints by a name of our own; code never holds a RunPod id.
create table podbase_private.endpoints (
  name text primary key,
  provider_id text not null,
  enabled boolean not null default true,
  -- Live attempts at once; RunPod's own answer to more is 429.
  max_in_flight int not null default 100 check (max_in_flight > 0),
  -- policy.executionTimeout and policy.ttl of every job sent. RunPod: 5 s to 7 d, and the ttl counts the queue too
  -- (docs.runpod.io/serverless/endpoints/send-requests).
  execution_timeout_ms int not null default 900000 check (execution_timeout_ms between 5000 and 604800000),
  ttl_ms int not null default 86400000 check (ttl_ms between 10000 and 604800000),
  -- First /status poll after the submission; later ones back off to max_poll_ms.
  first_poll_ms int not null default 30000 check (first_poll_ms >= 1000),
  -- RunPod forgets results after 30 minutes, so nothing waits longer than 10 for a poll.
  max_poll_ms int not null default 600000 check (max_poll_ms between 1000 and 600000),
  -- How long a POST without a clear answer waits for a sign of life before it counts as not sent.
  evidence_window_ms int not null default 120000 check (evidence_window_ms >= 1000),
  check (ttl_ms > execution_timeout_ms)
);

-- The ordered endpoints of a route. Tasks name routes.
create table podbase_private.routes (
  route text not null,
  position int not null,
  endpoint text not null references podbase_private.endpoints (name),
  primary key (route, position)
);
create index routes_of_endpoint on podbase_private.routes (endpoint);

-- The half of a task that nobody outside may see: what to run, when, and how often it was tried.
create table podbase_private.task_schedule (
  task_id uuid primary key references podbase.tasks (id) on delete cascade,
  job_id uuid not null,
  user_id uuid not null,
  route text not null,
  after text[] not null default '{}',
  -- Declared artifacts: {name: content type}.
  artifacts jsonb not null default '{}',
  optional boolean not null default false,
  submit_policy podbase_private.submit_policy not null default 'at_least_once',
  -- Failures that count (failure_classes.counts) before the task fails for good.
  max_attempts int not null default 3 check (max_attempts between 1 and 100),
  attempts_made int not null default 0,
  failures int not null default 0,
  -- Place in the fair queue of its route; null unless claimable now (see podbase_private.next_ready_key).
  ready_key bigint,
  -- When a retry becomes claimable.
  run_at timestamptz,
  cancel_requested_at timestamptz
);
create index task_schedule_of_job on podbase_private.task_schedule (job_id);
create index task_schedule_ready on podbase_private.task_schedule (route, ready_key, task_id)
  where ready_key is not null;
create index task_schedule_ready_of_user on podbase_private.task_schedule (route, user_id, ready_key desc)
  where ready_key is not null;
create index task_schedule_deferred on podbase_private.task_schedule (run_at) where run_at is not null;

-- One try of one task at RunPod. The row, with its token's hash and endpoint, stands before the POST.
create table podbase_private.attempts (
  id uuid primary key default gen_random_uuid(),
  task_id uuid not null references podbase.tasks (id) on delete cascade,
  job_id uuid not null,
  number int not null,
  state podbase_private.attempt_state not null default 'claimed',
  endpoint text not null references podbase_private.endpoints (name),
  -- SHA-256 of the token; the token itself is only in the request to RunPod.
  token_hash bytea not null,
  -- RunPod's job id, text and never a uuid: it carries suffixes such as -u1.
  provider_id text,
  -- When somebody has to look again: a claim's lease, the evidence window, the next poll. Null at the end.
  next_check_at timestamptz,
  polls int not null default 0,
  -- RunPod has shown this job to us at least once.
  seen_at timestamptz,
  progress_seq int not null default -1,
  cancel_requested_at timestamptz,
  -- /cancel was answered, or there is nothing left to cancel.
  cancel_done_at timestamptz,
  delay_ms bigint,
  execution_ms bigint,
  worker_id text,
  failure_class text,
  error text,
  created_at timestamptz not null default podbase_private.now(),
  submitted_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  unique (task_id, number)
);
create index attempts_due on podbase_private.attempts (next_check_at) where next_check_at is not null;
create index attempts_live on podbase_private.attempts (endpoint) where next_check_at is not null;
create index attempts_to_cancel on podbase_private.attempts (cancel_requested_at)
  where cancel_requested_at is not null and cancel_done_at is null;

-- Every report that named a real attempt with its right token, as it came (redacted), with what it did.
create table podbase_private.webhook_inbox (
  id bigint generated always as identity primary key,
  attempt_id uuid not null references podbase_private.attempts (id) on delete cascade,
  source text not null check (source in ('webhook', 'poll', 'worker')),
  report jsonb not null,
  verdict text not null,
  received_at timestamptz not null default podbase_private.now()
);
create index webhook_inbox_of_attempt on podbase_private.webhook_inbox (attempt_id);

-- Append-only history. One row a published version, with who caused it and why.
create table podbase_private.job_events (
  job_id uuid not null references podbase.jobs (id) on delete cascade,
  version bigint not null,
  task_id uuid,
  at timestamptz not null default podbase_private.now(),
  actor text not null,
  cause text not null,
  job_status podbase.job_status not null,
  job_phase podbase.phase not null,
  task_status podbase.task_status,
  task_phase podbase.phase,
  primary key (job_id, version)
);

-- What to do about a failure, by class: data, not code.
create table podbase_private.failure_classes (
  class text primary key,
  -- Matched against RunPod's error text, case-insensitively, in order of precedence; null: only named in code.
  pattern text,
  precedence int not null default 100,
  retry boolean not null,
  -- Whether it uses up one of the task's max_attempts. What is nobody's fault (network, rate limit, a rotated key)
  -- doesn't: waiting beats failing.
  counts boolean not null default true,
  -- Exponential with full jitter: random between 0 and base * 2^(attempts - 1), at most the cap.
  backoff_base_ms int not null default 2000,
  backoff_cap_ms int not null default 300000,
  -- What the user reads.
  message text not null
);

-- When each periodic part last finished. cron's own "succeeded" only means that a request was queued.
create table podbase_private.heartbeats (
  name text primary key,
  at timestamptz not null,
  detail jsonb not null default '{}'
);

-- Everything is closed until 20260101000700_policies.sql opens it.
do $$
declare t record;
begin
  for t in select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('podbase', 'podbase_private') and c.relkind = 'r'
  loop
    execute format('alter table %I.%I enable row level security', t.nspname, t.relname);
    execute format('revoke all on table %I.%I from public, anon, authenticated, service_role', t.nspname, t.relname);
  end loop;
end $$;

insert into podbase_private.failure_classes
  (class, pattern, precedence, retry, counts, backoff_base_ms, message) values
  ('execution_timeout', 'executionTimeout exceeded', 10, false, true, 0, 'The work took longer than allowed.'),
  ('platform_loss', 'job timed out after \d+ retries', 20, true, true, 2000, 'The worker was lost.'),
  ('out_of_memory', 'out of memory', 30, true, true, 5000, 'The worker ran out of memory.'),
  ('bad_input', '^invalid input', 5, false, true, 0, 'The input was refused.'),
  ('worker_error', null, 100, true, true, 2000, 'The worker reported an error.'),
  ('invalid_output', null, 100, true, true, 2000, 'The worker returned something unexpected.'),
  ('missing_output', null, 100, true, true, 2000, 'The result did not arrive in storage.'),
  ('canceled_remotely', null, 100, false, true, 0, 'The work was canceled at RunPod.'),
  ('lost', null, 100, true, true, 2000, 'RunPod no longer knows the work.'),
  ('lost_unconfirmed', null, 100, false, true, 0,
   'RunPod never confirmed the work, and it is too dear to buy twice.'),
  ('unconfirmed', null, 100, true, false, 0, 'RunPod never confirmed the work.'),
  ('transient_network', null, 100, true, false, 1000, 'RunPod could not be reached.'),
  ('rate_limited', null, 100, true, false, 2000, 'RunPod asked to slow down.'),
  ('auth', null, 100, true, false, 30000, 'RunPod refused the credentials.'),
  ('unknown_endpoint', null, 100, true, false, 30000, 'RunPod does not know the endpoint.');
