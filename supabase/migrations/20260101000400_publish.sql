-- How a change becomes visible: job row, history and broadcast, always together.
--
-- Lock order of the whole engine: job row, then its tasks and schedules, then its attempts, then endpoints; several jobs
-- or endpoints in the order of their ids or names. Whoever holds the job's row lock is alone with everything below it.
-- Only claim() works without it: it takes schedule rows with skip locked, and where an endpoint is nearly full, one
-- advisory lock, as the last thing its transaction does.
--
-- Functions of podbase_private without grants are called by the definer functions alone and run as them. The hot entry
-- points set plan_cache_mode and enable_seqscan for all they call: plans made while the tables were nearly empty
-- would otherwise stay and grow with the tables. jit is off because a plan that has to scan looks dear then. All of it is
-- plpgsql, even one-liners: Postgres 17 plans the body of an SQL function anew for each caller, each time.

-- Writes one version of a job to the history and to its owner's private topic podbase:<user id>; returns the version.
-- The message carries states only: no input, output, token or provider id. It is put where realtime.send would put it
-- (supabase/realtime), without what that does besides; like there, a broken broadcast never undoes a state change.
create function podbase_private.announce(
  p_job podbase.jobs, p_version bigint, p_task podbase.tasks, p_actor text, p_cause text
) returns bigint
language plpgsql set search_path = '' as $$
begin
  insert into podbase_private.job_events
    (job_id, version, task_id, at, actor, cause, job_status, job_phase, job_progress, task_status, task_phase,
     task_progress)
  values (p_job.id, p_version, p_task.id, p_job.updated_at, p_actor, p_cause, p_job.status, p_job.phase,
    p_job.progress, p_task.status, p_task.phase, p_task.progress);
  begin
    insert into realtime.messages (topic, event, extension, private, payload)
    values ('podbase:' || p_job.user_id, 'job', 'broadcast', true, case when p_task.id is null
      then jsonb_build_object('job', p_job.id, 'version', p_version, 'status', p_job.status, 'phase', p_job.phase,
        'progress', p_job.progress, 'at', p_job.updated_at)
      else jsonb_build_object('job', p_job.id, 'version', p_version, 'status', p_job.status, 'phase', p_job.phase,
        'progress', p_job.progress, 'at', p_job.updated_at, 'task', jsonb_build_object('name', p_task.name,
          'status', p_task.status, 'phase', p_task.phase, 'version', p_task.version, 'progress', p_task.progress))
      end);
  exception when others then
    raise warning 'podbase could not broadcast: %', sqlerrm;
  end;
  return p_version;
end $$;

-- The phase and notice of a task, carried together through an aggregate.
create type podbase_private.spoken as (phase podbase.phase, notice jsonb);

-- Publishes a change of the only task of a job: the job is that task. Both rows as they are now, the job's locked. Returns the
-- job's new version.
create function podbase_private.publish_single(
  p_job podbase.jobs, p_task podbase.tasks, p_optional boolean, p_actor text, p_cause text
) returns bigint
language plpgsql set search_path = '' as $$
begin
  update podbase.jobs set
      version = p_job.version + 1, phase = p_task.phase, notice = p_task.notice,
      progress = case when p_task.status = 'completed' then 1 else coalesce(p_task.progress, 0) end,
      status = case
        when p_optional and p_task.status in ('failed', 'canceled') then 'completed'
        when p_task.status = 'queued' and p_job.status = 'processing' then 'processing'
        else p_task.status::text end::podbase.job_status,
      error = case when not p_optional then p_task.error end,
      started_at = coalesce(p_job.started_at, case when p_task.status <> 'queued' then p_task.updated_at end),
      finished_at = p_task.finished_at, updated_at = p_task.updated_at
    where id = p_job.id
    returning * into p_job;
  return podbase_private.announce(p_job, p_job.version, p_task, p_actor, p_cause);
end $$;

-- Derives the job from its tasks and publishes one version per changed task. Call it last, with at least one task and the
-- job's row locked and as it is now; returns the job's new version. A job that is processing does not go back to queued.
create function podbase_private.publish(p_job podbase.jobs, p_tasks uuid[], p_actor text, p_cause text) returns bigint
language plpgsql set search_path = '' as $$
declare
  v_job podbase.jobs;
  v_task podbase.tasks;
  v_from bigint := p_job.version;
  v_version bigint;
  v_optional boolean := false;
  v_finished boolean;
  v_now timestamptz := podbase_private.now();
begin
  if p_job.task_count = 1 then
    select * into v_task from podbase.tasks where id = p_tasks[1];
    if v_task.status in ('failed', 'canceled') then
      select optional into strict v_optional from podbase_private.task_schedule where task_id = v_task.id;
    end if;
    v_version := podbase_private.publish_single(p_job, v_task, v_optional, p_actor, p_cause);
    v_finished := v_task.finished_at is not null;
  else
    with s as (
      select
        count(*) filter (where t.finished_at is null) as open,
        count(*) filter (where t.status = 'failed' and not c.optional) as failed,
        count(*) filter (where t.status = 'canceled' and not c.optional) as canceled,
        count(*) filter (where t.status not in ('blocked', 'queued')) as begun,
        avg(case when t.status = 'completed' then 1 else coalesce(t.progress, 0) end)
          filter (where c.map is null)::real as progress,
        (array_agg(t.error order by t.finished_at) filter (where t.status = 'failed' and not c.optional))[1] as error,
        -- The liveliest open task speaks for the job.
        (array_agg(row(t.phase, t.notice)::podbase_private.spoken order by array_position(
          '{running,waiting_for_worker,confirming,submitting,retrying,canceling,queued}'::text[], t.phase::text
        )) filter (where t.finished_at is null and t.status <> 'blocked'))[1] as spoken,
        bool_or(c.cancel_requested_at is not null and t.finished_at is null) as canceling
      from podbase.tasks t join podbase_private.task_schedule c on c.task_id = t.id
      where t.job_id = p_job.id
    )
    update podbase.jobs j set
      version = v_from + cardinality(p_tasks),
      status = case
        when s.open = 0 and s.failed > 0 then 'failed'
        when s.open = 0 and s.canceled > 0 then 'canceled'
        when s.open = 0 then 'completed'
        when s.begun > 0 or j.status = 'processing' then 'processing'
        else 'queued' end::podbase.job_status,
      phase = case
        when s.open = 0 then 'done'
        when s.canceling then 'canceling'
        else coalesce((s.spoken).phase, 'queued') end::podbase.phase,
      progress = coalesce(s.progress, case when s.open = 0 then 1 else 0 end),
      notice = case when s.open > 0 then (s.spoken).notice end,
      error = case when s.open = 0 and s.failed > 0 then s.error end,
      started_at = coalesce(j.started_at, case when s.begun > 0 then v_now end),
      finished_at = case when s.open = 0 then v_now end,
      updated_at = v_now
    from s where j.id = p_job.id
    returning j.* into v_job;
    for i in 1 .. cardinality(p_tasks) loop
      select * into v_task from podbase.tasks where id = p_tasks[i];
      v_version := podbase_private.announce(v_job, v_from + i, v_task, p_actor, p_cause);
    end loop;
    v_finished := v_job.finished_at is not null;
  end if;
  if v_finished then
    perform from podbase_private.copies where leader_id = p_job.id and waiting;
    if found then
      select * into strict v_job from podbase.jobs where id = p_job.id;
      perform podbase_private.release_copies(p_job.id, v_job);
    end if;
  end if;
  return v_version;
end $$;

-- The same for who has not read the job.
create function podbase_private.publish(p_job uuid, p_tasks uuid[], p_actor text, p_cause text) returns bigint
language plpgsql set search_path = '' as $$
declare v_job podbase.jobs;
begin
  select * into strict v_job from podbase.jobs where id = p_job;
  return podbase_private.publish(v_job, p_tasks, p_actor, p_cause);
end $$;

-- A job as the API hands it out: the row with its tasks and artifacts, in the order they were declared.
create function podbase_private.job_json(p_job uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select to_jsonb(j) || jsonb_build_object(
      'tasks', (select coalesce(jsonb_agg(to_jsonb(t) order by t.created_at, t.name), '[]')
                from podbase.tasks t where t.job_id = j.id),
      'artifacts', (select coalesce(jsonb_agg(to_jsonb(a) order by a.created_at, a.name), '[]')
                    from podbase.artifacts a where a.job_id = j.id))
    from podbase.jobs j where j.id = p_job);
end $$;
