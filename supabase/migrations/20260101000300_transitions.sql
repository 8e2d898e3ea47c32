-- The two state machines as data, and the guards that refuse everything else with SQLSTATE PB004.
-- Terminal states are sticky, with one exception for attempts: a COMPLETED that comes late for work that was given
-- up still wins while its task is open, because it is paid.

create table podbase_private.task_transitions (
  from_status podbase.task_status,
  to_status podbase.task_status,
  primary key (from_status, to_status)
);
insert into podbase_private.task_transitions values
  ('blocked', 'queued'), ('blocked', 'canceled'),
  ('queued', 'processing'), ('queued', 'completed'), ('queued', 'failed'), ('queued', 'canceled'),
  ('processing', 'completed'), ('processing', 'failed'), ('processing', 'canceled');

create table podbase_private.attempt_transitions (
  from_state podbase_private.attempt_state,
  to_state podbase_private.attempt_state,
  primary key (from_state, to_state)
);
insert into podbase_private.attempt_transitions
  select f::podbase_private.attempt_state, t::podbase_private.attempt_state
  from (values
    ('claimed', array['submit_unknown', 'in_queue', 'in_progress', 'completed', 'failed', 'timed_out', 'rejected',
                      'canceled', 'superseded']),
    ('submit_unknown', array['in_queue', 'in_progress', 'completed', 'failed', 'timed_out', 'lost', 'rejected',
                             'canceled', 'superseded']),
    ('in_queue', array['in_progress', 'completed', 'failed', 'timed_out', 'lost', 'canceled', 'superseded']),
    -- RunPod puts a job of a lost worker back into its queue.
    ('in_progress', array['in_queue', 'completed', 'failed', 'timed_out', 'lost', 'canceled', 'superseded']),
    ('superseded', array['completed']),
    ('lost', array['completed'])
  ) as m (f, ts), unnest(m.ts) as t;

alter table podbase_private.task_transitions enable row level security;
alter table podbase_private.attempt_transitions enable row level security;
revoke all on podbase_private.task_transitions, podbase_private.attempt_transitions
  from public, anon, authenticated, service_role;

-- Trigger: refuses a task's move that is no row of task_transitions. SQLSTATE PB004.
create function podbase_private.guard_task() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from podbase_private.task_transitions
                 where from_status = old.status and to_status = new.status) then
    raise exception 'a task cannot move from % to %', old.status, new.status using errcode = 'PB004';
  end if;
  return new;
end $$;
create trigger guard before update of status on podbase.tasks for each row
  when (old.status is distinct from new.status) execute function podbase_private.guard_task();

-- Trigger: refuses an attempt's move that is no row of attempt_transitions. SQLSTATE PB004.
create function podbase_private.guard_attempt() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from podbase_private.attempt_transitions
                 where from_state = old.state and to_state = new.state) then
    raise exception 'an attempt cannot move from % to %', old.state, new.state using errcode = 'PB004';
  end if;
  return new;
end $$;
create trigger guard before update of state on podbase_private.attempts for each row
  when (old.state is distinct from new.state) execute function podbase_private.guard_attempt();

-- Trigger: a finished job stays what it is. SQLSTATE PB004.
create function podbase_private.guard_job() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  raise exception 'a job cannot move from % to %', old.status, new.status using errcode = 'PB004';
end $$;
create trigger guard before update of status on podbase.jobs for each row
  when (old.status is distinct from new.status and old.finished_at is not null)
  execute function podbase_private.guard_job();
