-- The state machines as data, and guards made from them that refuse everything else with SQLSTATE PB004.
-- Terminal states are sticky but for two things: a person may retry what failed or was canceled, and a COMPLETED that
-- comes late for work that was given up still wins while its task is open, because it is paid.

create table podbase_private.job_transitions (
  from_state podbase.job_status,
  to_state podbase.job_status,
  primary key (from_state, to_state)
);
insert into podbase_private.job_transitions values
  ('queued', 'processing'), ('queued', 'completed'), ('queued', 'failed'), ('queued', 'canceled'),
  ('processing', 'completed'), ('processing', 'failed'), ('processing', 'canceled'),
  -- retry
  ('failed', 'queued'), ('failed', 'processing'), ('canceled', 'queued'), ('canceled', 'processing');

create table podbase_private.task_transitions (
  from_state podbase.task_status,
  to_state podbase.task_status,
  primary key (from_state, to_state)
);
insert into podbase_private.task_transitions values
  ('blocked', 'queued'), ('blocked', 'canceled'),
  -- The row of a map ends with its items.
  ('blocked', 'completed'), ('blocked', 'failed'),
  ('queued', 'processing'), ('queued', 'completed'), ('queued', 'failed'), ('queued', 'canceled'),
  ('processing', 'completed'), ('processing', 'failed'), ('processing', 'canceled'),
  -- retry
  ('failed', 'queued'), ('failed', 'blocked'), ('canceled', 'queued'), ('canceled', 'blocked');

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
    -- A late winner.
    ('superseded', array['completed']),
    ('lost', array['completed'])
  ) as m (f, ts), unnest(m.ts) as t;

alter table podbase_private.job_transitions enable row level security;
alter table podbase_private.task_transitions enable row level security;
alter table podbase_private.attempt_transitions enable row level security;
revoke all on podbase_private.job_transitions, podbase_private.task_transitions, podbase_private.attempt_transitions
  from public, anon, authenticated, service_role;

-- Trigger: refuses the move it was called for; its argument names the machine. SQLSTATE PB004.
create function podbase_private.refuse_move() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'a % cannot move from % to %', tg_argv[0], to_jsonb(old) ->> tg_argv[1], to_jsonb(new) ->> tg_argv[1]
    using errcode = 'PB004';
end $$;

-- (Re)makes the guard of a table from its transitions. The rows become the trigger's condition: an allowed move then
-- costs a comparison of constants, not a look-up a row. Call it after every change of a transition table.
create function podbase_private.arm_guard(p_table regclass, p_column name, p_machine text) returns void
language plpgsql set search_path = '' as $$
declare
  v_type regtype := (select a.atttypid::regtype from pg_catalog.pg_attribute a
                     where a.attrelid = p_table and a.attname = p_column);
  v_allowed text;
begin
  execute format(
    'select string_agg(format(''when %%L then new.%1$I = any (%%L::%2$s[])'', from_state, tos), '' '')
     from (select from_state, array_agg(to_state) as tos from podbase_private.%3$I group by 1) as m',
    p_column, v_type, p_machine || '_transitions') into v_allowed;
  execute format('drop trigger if exists guard on %s', p_table);
  execute format(
    'create trigger guard before update of %1$I on %2$s for each row
     when (old.%1$I is distinct from new.%1$I and not (case old.%1$I %3$s else false end))
     execute function podbase_private.refuse_move(%4$L, %1$L)',
    p_column, p_table, v_allowed, p_machine);
end $$;

select podbase_private.arm_guard('podbase.jobs', 'status', 'job'),
  podbase_private.arm_guard('podbase.tasks', 'status', 'task'),
  podbase_private.arm_guard('podbase_private.attempts', 'state', 'attempt');
