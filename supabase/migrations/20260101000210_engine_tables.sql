-- What nobody outside may see: where tasks run, when, how often they were tried, and what came of it.

-- RunPod endpoints by a name of our own; code never holds a RunPod id.
create table podbase_private.endpoints (
  name text primary key,
  id int generated always as identity unique,
  provider_id text not null,
  enabled boolean not null default true,
  -- Live attempts at once; RunPod's own answer to more is 429.
  max_in_flight int not null default 100 check (max_in_flight > 0),
  -- /run calls in any ten seconds; RunPod refuses more than 1000 (docs.runpod.io/serverless/endpoints/operation-reference).
  max_runs_per_10s int not null default 1000 check (max_runs_per_10s > 0),
  -- policy.executionTimeout and policy.ttl of every job sent. RunPod: 5 s to 7 d, and the ttl counts the queue too
  -- (docs.runpod.io/serverless/endpoints/send-requests).
  execution_timeout_ms int not null default 900000 check (execution_timeout_ms between 5000 and 604800000),
  ttl_ms int not null default 86400000 check (ttl_ms between 10000 and 604800000),
  -- First /status poll after the submission; later ones back off to max_poll_ms.
  -- RunPod forgets results after 30 minutes, so nothing waits longer than 10 for a poll.
  first_poll_ms int not null default 30000 check (first_poll_ms between 1000 and 600000),
  max_poll_ms int not null default 600000 check (max_poll_ms between 1000 and 600000),
  -- How long a POST without a clear answer waits for a sign of life before it counts as not sent; null: learned
  -- (podbase_private.evidence_window).
  evidence_window_ms int check (evidence_window_ms >= 1000),
  -- Circuit breaker, shared by all instances. Failures in a row: of submissions, and of work that the platform lost.
  breaker podbase_private.breaker_state not null default 'closed',
  submit_failures int not null default 0,
  run_failures int not null default 0,
  -- How often in a row it opened; each time doubles the pause.
  breaker_trips int not null default 0,
  -- When one task may try whether the endpoint is well again.
  breaker_until timestamptz,
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

-- One row: what the whole system is set to.
create table podbase_private.settings (
  single boolean primary key default true check (single),
  -- Tasks of one user between ready and done; null: no limit. podbase_private.user_limits overrides it.
  max_in_flight_per_user int check (max_in_flight_per_user > 0),
  -- Who waits longer than this gets every tenth place, whatever their priority and share.
  ageing_after interval not null default '10 minutes' check (ageing_after between '0' and '1000 years'),
  -- Failures in a row that open an endpoint's breaker, and the first pause (doubled each time, at most 5 minutes).
  breaker_threshold int not null default 5 check (breaker_threshold > 0),
  breaker_pause interval not null default '10 seconds' check (breaker_pause > '0'),
  -- Retention. Null keeps for ever; at most 1,000 years, since subtracting more may leave what a time can be. What users
  -- asked for is kept by default, what only the engine needs is not.
  keep_jobs interval check (keep_jobs between '0' and '1000 years'),
  keep_payloads interval check (keep_payloads between '0' and '1000 years'),
  keep_events interval default '30 days' check (keep_events between '0' and '1000 years'),
  keep_reports interval default '7 days' check (keep_reports between '0' and '1000 years'),
  keep_alerts interval default '90 days' check (keep_alerts between '0' and '1000 years')
);
insert into podbase_private.settings default values;

-- Exceptions for single users: a bigger share of the queue, another limit.
create table podbase_private.user_limits (
  user_id uuid primary key references auth.users (id) on delete cascade,
  weight int not null default 1 check (weight between 1 and 100),
  max_in_flight int check (max_in_flight > 0)
);

-- The half of a task that nobody outside may see: what to run, when, and how often it was tried.
create table podbase_private.task_schedule (
  task_id uuid primary key,
  job_id uuid not null,
  user_id uuid not null,
  route text not null,
  -- Minus the request's priority: lower goes first.
  rank smallint not null default 0,
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
  ready_since timestamptz,
  -- When a retry becomes claimable.
  run_at timestamptz,
  -- Waits for one of its user's slots; has one (only where such a limit is set).
  parked boolean not null default false,
  has_slot boolean not null default false,
  -- Endpoints that failed it in a way that another may not.
  avoid text[],
  -- {failure class: route}: where to go after such a failure, such as a bigger GPU after out_of_memory.
  reroute jsonb,
  -- A map: {over, path}. Its row runs nothing itself; it stands for its items name[0], name[1], … and ends with them.
  map jsonb,
  expanded boolean not null default false,
  -- An item of a map: its place and its element of the list.
  item_index int,
  item jsonb,
  cancel_requested_at timestamptz
) with (fillfactor = 80);
create index task_schedule_ready on podbase_private.task_schedule (route, rank, ready_key, task_id)
  where ready_key is not null;
create index task_schedule_ready_of_user on podbase_private.task_schedule (route, user_id, rank, ready_key desc)
  where ready_key is not null;
create index task_schedule_oldest on podbase_private.task_schedule (route, ready_since) where ready_key is not null;
create index task_schedule_deferred on podbase_private.task_schedule (run_at) where run_at is not null;
create index task_schedule_parked on podbase_private.task_schedule (user_id, rank, ready_since) where parked;
create index task_schedule_slots on podbase_private.task_schedule (user_id) where has_slot;

-- One try of one task at RunPod. The row, with its token's hash and endpoint, stands before the POST.
create table podbase_private.attempts (
  id uuid primary key default gen_random_uuid(),
  task_id uuid not null,
  job_id uuid not null,
  -- SHA-256 of the token; the token itself is only in the request to RunPod.
  token_hash bytea not null,
  endpoint text not null,
  number int not null,
  created_at timestamptz not null default podbase_private.now(),
  state podbase_private.attempt_state not null default 'claimed',
  polls int not null default 0,
  progress_seq int not null default -1,
  -- When somebody has to look again: a claim's lease, the evidence window, the next poll. Null at the end.
  next_check_at timestamptz,
  submitted_at timestamptz,
  -- RunPod has shown this job to us at least once.
  seen_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  -- When /cancel is due; infinity as long as no id is known to cancel by. (The id itself is in no index, also not as a
  -- condition: learning it then writes none.)
  cancel_requested_at timestamptz,
  -- /cancel was answered, or there is nothing left to cancel.
  cancel_done_at timestamptz,
  delay_ms bigint,
  execution_ms bigint,
  -- RunPod's job id, text and never a uuid: it carries suffixes such as -u1.
  provider_id text,
  worker_id text,
  failure_class text,
  error text,
  unique (task_id, number)
) with (fillfactor = 80);
create index attempts_due on podbase_private.attempts (next_check_at) where next_check_at is not null;
create index attempts_live on podbase_private.attempts (endpoint) where next_check_at is not null;
create index attempts_to_cancel on podbase_private.attempts (cancel_requested_at)
  where cancel_requested_at is not null and cancel_done_at is null;

-- What RunPod may still work on although its job was deleted, until /cancel is answered there. Nobody is named in it.
create table podbase_private.orphans (
  attempt_id uuid primary key,
  endpoint text not null,
  -- Null until the answer to the POST tells it.
  provider_id text,
  -- When /cancel is due; without an id, or when the ttl is long over, the row goes then.
  due_at timestamptz not null,
  forget_at timestamptz not null
);
create index orphans_due on podbase_private.orphans (due_at);

-- Every report that named a real attempt with its right token, as it came (redacted), with what it did. The output of
-- a report that completed its task lies in the task's row and only there.
create table podbase_private.webhook_inbox (
  id bigint generated always as identity primary key,
  attempt_id uuid not null,
  -- webhook, poll or worker.
  source text not null,
  report jsonb not null,
  verdict text not null,
  received_at timestamptz not null default podbase_private.now()
);
create index webhook_inbox_of_attempt on podbase_private.webhook_inbox (attempt_id);
create index webhook_inbox_received on podbase_private.webhook_inbox using brin (received_at)
  with (pages_per_range = 16, autosummarize = on);

-- Append-only history. One row a published version, with who caused it and why, and all that a version can change but
-- payloads: the last row of a job, and of each of its tasks, is what their rows say.
create table podbase_private.job_events (
  job_id uuid not null,
  version bigint not null,
  task_id uuid,
  at timestamptz not null default podbase_private.now(),
  actor text not null,
  cause text not null,
  job_status podbase.job_status not null,
  job_phase podbase.phase not null,
  job_progress real,
  task_status podbase.task_status,
  task_phase podbase.phase,
  task_progress real
) partition by range (at);
-- Versions are unique in their job because whoever publishes holds its row's lock; no index over all weeks could say it.
create index job_events_of_job on podbase_private.job_events (job_id, version);

-- Jobs that may stand in for the same request again (plan.reuse, 20260101000640_reuse.sql); key: SHA-256 of the request.
create table podbase_private.reusable (
  user_id uuid not null,
  key bytea not null,
  -- Registered before the job itself is made.
  job_id uuid not null references podbase.jobs (id) on delete cascade deferrable initially deferred,
  primary key (user_id, key)
);
create index reusable_of_job on podbase_private.reusable (job_id);

-- What somebody should look at. Append-only; the same code and subject at most once a minute.
create table podbase_private.alerts (
  id bigint generated always as identity primary key,
  at timestamptz not null default podbase_private.now(),
  code text not null,
  subject text not null,
  job_id uuid,
  detail jsonb not null default '{}'
);
create index alerts_of_subject on podbase_private.alerts (code, subject, at desc);
create index alerts_at on podbase_private.alerts (at);

-- When each periodic part last finished. cron's own "succeeded" only means that a request was queued.
create table podbase_private.heartbeats (
  name text primary key,
  at timestamptz not null,
  detail jsonb not null default '{}'
);

-- Trigger: what belongs to a task goes with it, and what RunPod may still do for it is to be canceled there. The schedules
-- first: a claim that holds one is waited for, and its attempt is then seen.
create function podbase_private.drop_with_tasks() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off as $$
begin
  delete from podbase_private.task_schedule where task_id in (select id from gone);
  delete from podbase_private.webhook_inbox where attempt_id in (
    select a.id from gone join podbase_private.attempts a on a.task_id = gone.id);
  with dropped as (
    delete from podbase_private.attempts where task_id in (select id from gone) returning *
  )
  insert into podbase_private.orphans (attempt_id, endpoint, provider_id, due_at, forget_at)
  select a.id, a.endpoint, a.provider_id,
    case when a.provider_id is null then f.forget_at else podbase_private.now() end, f.forget_at
  from dropped a
  join podbase_private.endpoints e on e.name = a.endpoint
  cross join lateral (
    select coalesce(a.submitted_at, a.created_at) + e.ttl_ms * interval '1 ms' + interval '30 minutes' as forget_at
  ) as f
  where (a.next_check_at is not null or (a.cancel_requested_at is not null and a.cancel_done_at is null))
    and f.forget_at > podbase_private.now();
  return null;
end $$;
create trigger drop_with_tasks after delete on podbase.tasks referencing old table as gone
  for each statement execute function podbase_private.drop_with_tasks();

-- Trigger: the history of a job goes with it.
create function podbase_private.drop_history() returns trigger
language plpgsql security definer set search_path = '' set enable_seqscan = off as $$
begin
  delete from podbase_private.job_events where job_id in (select id from gone);
  return null;
end $$;
create trigger drop_history after delete on podbase.jobs referencing old table as gone
  for each statement execute function podbase_private.drop_history();
