-- What is old goes, in small batches: nothing here grows without bound. How long what is kept stands in
-- podbase_private.settings. realtime.messages and net._http_response prune themselves (supabase/realtime, pg_net), and
-- cron.job_run_details is cleared in 20260101001300_cron.sql.

-- Empties input and outputs of jobs that ended before p_before, oldest first; p_after is where the last batch ended.
-- States, artifacts and history stay, and a job that is tried again meanwhile keeps all. What somebody else holds is left to
-- the next batch: who is called by tick() holds other jobs, and must wait for none. Returns where this batch ended.
create function podbase_private.trim_payloads(p_after timestamptz, p_before timestamptz, p_limit int)
returns timestamptz
language plpgsql set search_path = '' as $$
declare
  v_jobs uuid[];
  v_free uuid[];
  v_last timestamptz;
begin
  select array_agg(id), max(finished_at) into v_jobs, v_last from (
    select id, finished_at from podbase.jobs
    where finished_at > p_after and finished_at < p_before
    order by finished_at fetch first p_limit rows with ties
  ) as batch;
  select coalesce(array_agg(id), '{}') into v_free from (
    select id from podbase.jobs where id = any (v_jobs) and finished_at < p_before for update skip locked
  ) as locked;
  select coalesce(min(finished_at) - interval '1 microsecond', v_last) into v_last
    from podbase.jobs where id = any (v_jobs) and id <> all (v_free) and finished_at < p_before;
  update podbase.jobs set input = '{}', trimmed_at = podbase_private.now() where id = any (v_free);
  update podbase.tasks set output = null where job_id = any (v_free) and output is not null;
  update podbase_private.task_schedule s set item = null
    from podbase.tasks t where t.job_id = any (v_free) and s.task_id = t.id and s.item is not null;
  return coalesce(v_last, p_before);
end $$;

-- Deletes and trims what is past its time, at most p_limit rows of each sort; once a minute, or at the next tick while
-- there is more. One at a time; whoever comes meanwhile does nothing. Returns how many rows it removed.
-- Caller: tick(). Locks: its heartbeat, then finished jobs that nobody else holds.
create function podbase_private.retain(p_limit int) returns int
language plpgsql set search_path = '' as $$
declare
  v_now timestamptz := podbase_private.now();
  v_keep podbase_private.settings;
  v_beat podbase_private.heartbeats;
  v_trimmed timestamptz;
  v_rows int;
  v_most int := 0;
  v_total int := 0;
begin
  insert into podbase_private.heartbeats (name, at, detail)
  select 'retain', '-infinity', '{}' where not exists (select from podbase_private.heartbeats where name = 'retain')
  on conflict do nothing;
  -- A due time further ahead than a minute comes of a clock that was set back.
  select * into v_beat from podbase_private.heartbeats where name = 'retain'
    and coalesce((detail ->> 'dueAt')::timestamptz, '-infinity') not between v_now and v_now + interval '1 minute'
    for update skip locked;
  if v_beat.name is null then return 0; end if;
  select * into v_keep from podbase_private.settings where single;

  delete from podbase.jobs where id in (
    select id from podbase.jobs where finished_at < v_now - v_keep.keep_jobs limit p_limit for update skip locked);
  get diagnostics v_rows = row_count;
  v_most := greatest(v_most, v_rows); v_total := v_total + v_rows;
  perform podbase_private.rotate_events(v_now, v_keep.keep_events);
  delete from podbase_private.job_events_other where ctid = any (array(
    select ctid from podbase_private.job_events_other where at < v_now - v_keep.keep_events limit p_limit));
  get diagnostics v_rows = row_count;
  v_most := greatest(v_most, v_rows); v_total := v_total + v_rows;
  delete from podbase_private.webhook_inbox where id in (
    select id from podbase_private.webhook_inbox where received_at < v_now - v_keep.keep_reports limit p_limit);
  get diagnostics v_rows = row_count;
  v_most := greatest(v_most, v_rows); v_total := v_total + v_rows;
  delete from podbase_private.alerts where id in (
    select id from podbase_private.alerts where at < v_now - v_keep.keep_alerts limit p_limit);
  get diagnostics v_rows = row_count;
  v_most := greatest(v_most, v_rows); v_total := v_total + v_rows;

  v_trimmed := coalesce((v_beat.detail ->> 'trimmedTo')::timestamptz, '-infinity');
  if v_keep.keep_payloads is not null then
    v_trimmed := podbase_private.trim_payloads(v_trimmed, v_now - v_keep.keep_payloads, p_limit);
  end if;
  update podbase_private.heartbeats set
      at = v_now,
      detail = jsonb_build_object('removed', v_total, 'trimmedTo', v_trimmed, 'dueAt', v_now + case
        when v_most >= p_limit or v_trimmed < v_now - v_keep.keep_payloads then interval '-1 second'
        else interval '1 minute' end)
    where name = 'retain';
  return v_total;
end $$;

-- cron's, every 10 s: heals what SQL alone can heal, then wakes reconcile only if there is something to do. Any number may
-- run at once. Caller: cron. Locks: as of what it calls.
create function podbase_private.tick() returns void
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
begin
  perform podbase_private.hear_wake();
  perform podbase_private.expire(100);
  perform podbase_private.promote(1000);
  perform podbase_private.admit();
  perform podbase_private.retain(2000);
  perform podbase_private.notice_slow();
  perform podbase_private.alert_unserved();
  if podbase_private.work_is_due() then
    perform podbase_private.wake();
  else
    perform podbase_private.check_wake();
  end if;
end $$;
