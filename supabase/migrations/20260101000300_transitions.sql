-- The state machines as data, and guards made from them that refuse everything else with SQLSTATE PB004.
-- Terminal states are sticky but for two things: a person may retry what failed or was canceled, and a COMPLETED that
-- comes late, for an attempt that had ended in any other way, still wins while its task is open, because it is paid.

create table podbase_private.job_transitions (
  from_state podbase.job_status,
  to_state podbase.job_status,
  primary key (from_state, to_state)
);
insert into podbase_private.job_transitions values
  ('queued', 'processing'), ('queued', 'completed'), ('queued', 'failed'), ('queued', 'canceled'),
  ('processing', 'completed'), ('processing', 'failed'), ('processing', 'canceled'),
  -- retry
  ('failed', 'queued'), ('failed', 'processing'), ('canceled', 'queued'), ('canceled', 'processing'),
  -- retry of nothing but a map over what is there: of no element, or no list
  ('canceled', 'completed'), ('canceled', 'failed');

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
    ('lost', array['completed']),
    ('failed', array['completed']),
    ('timed_out', array['completed']),
    ('rejected', array['completed']),
    ('canceled', array['completed'])
  ) as m (f, ts), unnest(m.ts) as t;

alter table podbase_private.job_transitions enable row level security;
alter table podbase_private.task_transitions enable row level security;
alter table podbase_private.attempt_transitions enable row level security;
revoke all on podbase_private.job_transitions, podbase_private.task_transitions, podbase_private.attempt_transitions
  from public, anon, authenticated, service_role;

-- (Re)makes the guard of a table from its transitions: a trigger that refuses every other move, SQLSTATE PB004, and
-- where the table has finished_at, every row that is finished but not at an end or the other way round (23514). The rows
-- become a text in the trigger's function: an allowed move then costs a look into it, not a look-up a row; a condition
-- on the trigger itself would be read anew at every statement. Call it after every change of a transition table.
create function podbase_private.arm_guard(p_table regclass, p_column name, p_machine text) returns void
language plpgsql set search_path = '' as $$
declare
  v_moves text;
  v_finish text := '';
begin
  execute format('select string_agg(from_state || ''>'' || to_state, '' '') from podbase_private.%I',
    p_machine || '_transitions') into v_moves;
  if exists (select from pg_catalog.pg_attribute where attrelid = p_table and attname = 'finished_at')
    and p_column = 'status' then
    v_finish := $guard$
      if (new.finished_at is not null) <> (new.status in ('completed', 'failed', 'canceled')) then
        raise exception 'finished_at does not go with status %', new.status using errcode = '23514';
      end if;$guard$;
  end if;
  execute format($guard$
    create or replace function podbase_private.guard_%1$s() returns trigger
    language plpgsql set search_path = '' as $body$
    begin
      if old.%2$I <> new.%2$I and strpos(%3$L, ' ' || old.%2$I || '>' || new.%2$I || ' ') = 0 then
        raise exception 'a %1$s cannot move from %% to %%', old.%2$I, new.%2$I using errcode = 'PB004';
      end if;%4$s
      return new;
    end $body$
    $guard$,
    p_machine, p_column, ' ' || v_moves || ' ', v_finish);
  execute format('drop trigger if exists guard on %s', p_table);
  execute format('create trigger guard before update of %I%s on %s for each row execute function podbase_private.guard_%s()',
    p_column, case when v_finish <> '' then ', finished_at' end, p_table, p_machine);
end $$;

select podbase_private.arm_guard('podbase.jobs', 'status', 'job'),
  podbase_private.arm_guard('podbase.tasks', 'status', 'task'),
  podbase_private.arm_guard('podbase_private.attempts', 'state', 'attempt');
