-- What people ask of a job: cancel, retry. Owners through podbase.cancel_job and its like, operators (service_role) by
-- the same name with operator_ before it. All return the job.

-- The job of a task or of itself, if it is the caller's (p_owned) or anybody's. Takes no lock. SQLSTATE PB005 when there
-- is none. Called by the functions below, which run as the definer.
create function podbase_private.find_job(p_job uuid, p_task uuid, p_owned boolean) returns uuid
language plpgsql stable set search_path = '' as $$
declare v_job uuid;
begin
  select j.id into v_job from podbase.jobs j
    where j.id = coalesce(p_job, (select job_id from podbase.tasks where id = p_task))
      and (not p_owned or j.user_id = (select auth.uid()));
  if v_job is null then
    raise exception 'you have no such job or task' using errcode = 'PB005';
  end if;
  return v_job;
end $$;

-- Cancels a job, or one task with what depends on it. What has not started is canceled at once; what runs at RunPod is
-- shown as canceling until RunPod has confirmed, and a result that arrives before that still counts. What is finished
-- stays as it is. Locks: the job. Emits one version for each changed task, actor p_actor.
create function podbase_private.cancel(p_job uuid, p_task uuid, p_actor text) returns jsonb
language plpgsql set search_path = '' as $$
declare
  v_task uuid;
  v_asked uuid[];
  v_tasks uuid[] := '{}';
  v_live boolean := false;
  v_now timestamptz := podbase_private.now();
begin
  perform from podbase.jobs where id = p_job for update;
  -- All of them before the first one ends: its end opens none that is to be canceled too.
  with asked as (
    update podbase_private.task_schedule s set cancel_requested_at = v_now, ready_key = null, run_at = null
    from podbase.tasks t
    where t.job_id = p_job and s.task_id = t.id and t.finished_at is null and s.cancel_requested_at is null
      and (p_task is null or t.id = p_task
        or (s.item_index is not null and split_part(t.name, '[', 1) = (
          select m.name from podbase.tasks m where m.id = p_task)))
    returning s.task_id, s.item_index
  )
  -- A map's row before its items, so that their end does not end it first.
  select coalesce(array_agg(task_id order by item_index nulls first, task_id), '{}') into v_asked from asked;
  foreach v_task in array v_asked loop
    -- A claim may have taken the task while the row was waited for, so look now.
    update podbase_private.attempts set cancel_requested_at = v_now
      where task_id = v_task and next_check_at is not null;
    if found then
      v_live := true;
      v_tasks := v_tasks || (podbase_private.show_task(v_task, 'canceling', null)).id;
    elsif exists (select from podbase.tasks where id = v_task and finished_at is null) then
      v_tasks := v_tasks || podbase_private.finish_task(v_task, 'canceled', null);
    end if;
  end loop;
  if v_tasks <> '{}' then
    perform podbase_private.publish(p_job, v_tasks, p_actor, 'cancel requested');
  end if;
  -- A copy of another's result that is canceled as a whole waits for nothing any more.
  update podbase_private.copies set waiting = false
    where job_id = p_job and waiting and exists (select from podbase.jobs where id = p_job and finished_at is not null);
  if v_live then
    perform podbase_private.wake();
  end if;
  return podbase_private.job_json(p_job);
end $$;

-- Opens what failed or was canceled again, in the whole job or one task with what waited for it; what completed is kept
-- and not run again. Failures are counted anew; attempts keep their numbers. SQLSTATE PB006 when nothing failed, when its
-- input is trimmed, and for a task whose upstream did not complete: that one has to be tried again. Locks: the job. Emits
-- one version for each changed task, actor p_actor.
create function podbase_private.retry(p_job uuid, p_task uuid, p_actor text) returns jsonb
language plpgsql set search_path = '' as $$
declare
  v_job podbase.jobs;
  v_map text;
  v_tasks uuid[];
  v_ready uuid[];
  v_started uuid[];
  v_now timestamptz := podbase_private.now();
begin
  select * into v_job from podbase.jobs where id = p_job for update;
  -- A map and its items go together.
  select split_part(name, '[', 1) into v_map from podbase.tasks t join podbase_private.task_schedule s on s.task_id = t.id
    where t.id = p_task and (s.map is not null or s.item_index is not null);
  select coalesce(array_agg(t.id), '{}') into v_tasks
  from podbase.tasks t join podbase_private.task_schedule s on s.task_id = t.id
  where t.job_id = p_job and t.status in ('failed', 'canceled')
    and (p_task is null or t.id = p_task or t.notice ->> 'code' = 'upstream_failed'
      or (s.map is not null and t.name = v_map)
      or (s.item_index is not null and split_part(t.name, '[', 1) = v_map
          and exists (select from podbase_private.task_schedule m where m.task_id = p_task and m.map is not null)));
  if v_job.status = 'completed' or v_job.trimmed_at is not null or (p_task is null and v_job.status not in ('failed', 'canceled'))
    or v_tasks = '{}' or (p_task is not null and p_task <> all (v_tasks)) then
    raise exception 'only what failed or was canceled can be tried again' using errcode = 'PB006';
  end if;
  if exists (
    select from podbase_private.task_schedule s
    join podbase.tasks u on u.job_id = p_job and u.name = any (s.after) and u.status in ('failed', 'canceled')
    join podbase_private.task_schedule us on us.task_id = u.id and not us.optional
    where s.task_id = p_task) then
    raise exception 'a task before it did not complete; try that one again' using errcode = 'PB006';
  end if;

  -- Whoever has a part of a copy tried again gets all of it made.
  v_started := podbase_private.detach(p_job);
  update podbase_private.task_schedule s set
      failures = 0, run_at = null, avoid = null, cancel_requested_at = null,
      expanded = s.map is not null and exists (
        select from podbase.tasks i join podbase_private.task_schedule x on x.task_id = i.id
        where i.job_id = p_job and x.item_index is not null
          and split_part(i.name, '[', 1) = (select m.name from podbase.tasks m where m.id = s.task_id))
    where s.task_id = any (v_tasks);
  with opened as (
    update podbase.tasks t set
      status = case when s.map is null and (s.after = '{}' or s.item_index is not null) then 'queued'
                    else 'blocked' end::podbase.task_status,
      phase = 'queued', version = t.version + 1, progress = null, notice = null, error = null, output = null,
      started_at = null, finished_at = null, updated_at = v_now
    from podbase_private.task_schedule s
    where t.id = any (v_tasks) and s.task_id = t.id
    returning t.id, t.status
  )
  select coalesce(array_agg(id) filter (where status = 'queued'), '{}') into v_ready from opened;
  perform podbase_private.enqueue_many(v_ready);
  -- A task may be here twice: opened, and canceled again because what it waits for has failed.
  v_tasks := array(select distinct unnest(v_tasks || v_started || podbase_private.unblock(p_job)));
  perform podbase_private.publish(p_job, v_tasks, p_actor, 'retry requested');
  perform podbase_private.wake();
  return podbase_private.job_json(p_job);
end $$;

-- The four that the API calls, each for a job or, with p_task, for one of its tasks. Owners: PB005 for what is not theirs.
-- Caller: authenticated. Otherwise as cancel().
create function podbase_private.cancel_mine(p_job uuid, p_task uuid) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
begin
  return podbase_private.cancel(podbase_private.find_job(p_job, p_task, true), p_task, 'user');
end $$;

-- As retry(). Caller: authenticated.
create function podbase_private.retry_mine(p_job uuid, p_task uuid) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
begin
  return podbase_private.retry(podbase_private.find_job(p_job, p_task, true), p_task, 'user');
end $$;

-- As cancel(), for anybody's job. Caller: service_role.
create function podbase_private.cancel_any(p_job uuid, p_task uuid) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
begin
  return podbase_private.cancel(podbase_private.find_job(p_job, p_task, false), p_task, 'operator');
end $$;

-- As retry(), for anybody's job. Caller: service_role.
create function podbase_private.retry_any(p_job uuid, p_task uuid) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
begin
  return podbase_private.retry(podbase_private.find_job(p_job, p_task, false), p_task, 'operator');
end $$;

-- Where the caller's job stands in the queue (podbase_private.queue_position). SQLSTATE PB005. Caller: authenticated.
create function podbase_private.my_queue_position(p_job uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  return podbase_private.queue_position(podbase_private.find_job(p_job, null, true));
end $$;
