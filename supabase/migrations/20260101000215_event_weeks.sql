-- The history lies in one table a week (UTC, from Monday), so that what is too old goes as a whole table and leaves nothing
-- to vacuum. Weeks are made ahead by podbase_private.retain().

-- For times that no week was made for, such as those of a clock that jumped: an insert never fails for want of a table.
create table podbase_private.job_events_other partition of podbase_private.job_events default;
create index job_events_other_at on podbase_private.job_events_other (at);

-- Trigger: refuses to change what has happened (55000). A row may go, with its job or its week.
create function podbase_private.guard_history() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'the history is only ever added to' using errcode = '55000';
end $$;
create trigger append_only before update on podbase_private.job_events
  for each row execute function podbase_private.guard_history();

-- The name of the table of the week that a time lies in. Names sort as their weeks do.
create function podbase_private.event_week(p_at timestamptz) returns text
language plpgsql stable set search_path = '' as $$
begin
  return to_char(p_at at time zone 'UTC', '"job_events_"IYYY"w"IW');
end $$;

-- Makes the table of the week that p_at lies in, if there is none, and moves there what lies in job_events_other of it.
-- Called by rotate_events(). Locks: job_events_other, for as long as that takes.
create function podbase_private.make_event_week(p_at timestamptz) returns void
language plpgsql set search_path = '' as $$
declare
  v_name text := podbase_private.event_week(p_at);
  v_from timestamptz := date_trunc('week', p_at, 'UTC');
  v_to timestamptz := v_from + interval '168 hours';
begin
  if to_regclass('podbase_private.' || v_name) is not null then return; end if;
  lock table podbase_private.job_events_other in access exclusive mode;
  execute format('create table podbase_private.%I (like podbase_private.job_events including all)', v_name);
  execute format('alter table podbase_private.%I enable row level security', v_name);
  execute format('revoke all on podbase_private.%I from public, anon, authenticated, service_role', v_name);
  execute format('with moved as (delete from podbase_private.job_events_other where at >= %L and at < %L returning *)
    insert into podbase_private.%I select * from moved', v_from, v_to, v_name);
  execute format('alter table podbase_private.job_events attach partition podbase_private.%I for values from (%L) to (%L)',
    v_name, v_from, v_to);
end $$;

-- Makes the tables of this week and the next three, and drops those whose every event is older than p_keep (null: none).
-- Where somebody holds one of them for longer than a moment it does nothing; the next call tries again. Returns how many
-- were dropped. Called by retain(). Locks: the history's tables, at most 0.2 s of waiting each.
create function podbase_private.rotate_events(p_now timestamptz, p_keep interval) returns int
language plpgsql set search_path = '' set lock_timeout = '200ms' as $$
declare
  v_name text;
  v_dropped int := 0;
begin
  for i in 0 .. 3 loop
    perform podbase_private.make_event_week(p_now + i * interval '168 hours');
  end loop;
  for v_name in
    select c.relname from pg_catalog.pg_class c
    where c.relnamespace = 'podbase_private'::regnamespace and c.relkind = 'r'
      and c.relname ~ '^job_events_\d{4}w\d\d$' and c.relname < podbase_private.event_week(p_now - p_keep)
  loop
    execute format('drop table podbase_private.%I', v_name);
    v_dropped := v_dropped + 1;
  end loop;
  return v_dropped;
exception when lock_not_available then
  return 0;
end $$;

select podbase_private.rotate_events(podbase_private.now(), null);
