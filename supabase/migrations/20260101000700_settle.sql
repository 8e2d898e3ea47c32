-- What the functions of reports, submissions and time share: how an attempt ends and what that does to its task.
-- All of them expect the job's row to be locked, return the ids of the tasks they changed, and leave publishing to
-- their caller.

-- Opens what waited for finished tasks, and cancels what can no longer run because a required one did not complete.
create function podbase_private.unblock(p_job uuid) returns uuid[]
language plpgsql security definer set search_path = '' as $$
declare
  v_changed uuid[] := '{}';
  v_ready uuid[];
  v_dead uuid[];
begin
  loop
    with blocked as (
      select t.id,
        bool_or(u.status in ('failed', 'canceled') and not us.optional) as dead,
        bool_and(u.finished_at is not null) as ready
      from podbase.tasks t
      join podbase_private.task_schedule s on s.task_id = t.id
      join podbase.tasks u on u.job_id = t.job_id and u.name = any (s.after)
      join podbase_private.task_schedule us on us.task_id = u.id
      where t.job_id = p_job and t.status = 'blocked'
      group by t.id
    )
    select coalesce(array_agg(id) filter (where dead), '{}'),
           coalesce(array_agg(id) filter (where ready and not dead), '{}')
      into v_dead, v_ready from blocked;

    update podbase.tasks set status = 'canceled', phase = 'done', version = version + 1,
        notice = podbase_private.notice('upstream_failed'),
        finished_at = podbase_private.now(), updated_at = podbase_private.now()
      where id = any (v_dead);
    update podbase.tasks set status = 'queued', version = version + 1, updated_at = podbase_private.now()
      where id = any (v_ready);
    perform podbase_private.enqueue(v_ready);
    v_changed := v_changed || v_dead || v_ready;
    -- A canceled task may leave others without their upstream.
    exit when v_dead = '{}';
  end loop;
  return v_changed;
end $$;

-- Ends a task for good and opens or cancels what waited for it.
create function podbase_private.finish_task(
  p_task uuid, p_status podbase.task_status, p_output jsonb, p_error jsonb
) returns uuid[]
language plpgsql security definer set search_path = '' as $$
declare v_job uuid;
begin
  update podbase_private.task_schedule set ready_key = null, run_at = null where task_id = p_task;
  update podbase.tasks set
      status = p_status, phase = 'done', version = version + 1, output = p_output, error = p_error, notice = null,
      progress = case when p_status = 'completed' then 1 else progress end,
      finished_at = podbase_private.now(), updated_at = podbase_private.now()
    where id = p_task returning job_id into v_job;
  return array[p_task] || podbase_private.unblock(v_job);
end $$;

-- Shows an open task's phase; a task that left the queue is processing from then on. What is being canceled stays
-- shown as that, whatever else is still heard of it.
create function podbase_private.show_task(p_task uuid, p_phase podbase.phase, p_notice jsonb) returns uuid[]
language plpgsql security definer set search_path = '' as $$
begin
  update podbase.tasks t set
      status = 'processing', version = t.version + 1,
      phase = case when s.cancel_requested_at is null then p_phase else 'canceling' end,
      notice = case when s.cancel_requested_at is null then p_notice end,
      started_at = coalesce(t.started_at, podbase_private.now()), updated_at = podbase_private.now()
    from podbase_private.task_schedule s
    where t.id = p_task and s.task_id = p_task and t.finished_at is null;
  return array[p_task];
end $$;

-- The words for a soft wait: {code, since, message}.
create function podbase_private.notice(p_code text) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object('code', p_code, 'since', podbase_private.now(), 'message', case p_code
    when 'warming_up' then 'Waiting for a worker. A cold GPU can take a few minutes to wake.'
    when 'confirming' then 'Making sure that the work was handed over.'
    when 'retrying' then 'That did not work out. Trying again shortly.'
    when 'upstream_failed' then 'Not started, because a task before this one did not complete.' end);
$$;

-- Ends an attempt without a result and decides what becomes of its task: another attempt later, canceled, or failed.
create function podbase_private.fail_attempt(
  p_attempt uuid, p_state podbase_private.attempt_state, p_class text, p_error text, p_retry_after_ms int default null
) returns uuid[]
language plpgsql security definer set search_path = '' as $$
declare
  v_attempt podbase_private.attempts;
  v_schedule podbase_private.task_schedule;
  v_class podbase_private.failure_classes;
  v_now timestamptz := podbase_private.now();
  v_wait double precision;
begin
  update podbase_private.attempts set
      state = p_state, failure_class = p_class, error = left(p_error, 10000), next_check_at = null, finished_at = v_now
    where id = p_attempt returning * into v_attempt;
  select * into strict v_class from podbase_private.failure_classes where class = p_class;
  update podbase_private.task_schedule set failures = failures + v_class.counts::int
    where task_id = v_attempt.task_id returning * into v_schedule;

  if exists (select from podbase.tasks where id = v_attempt.task_id and finished_at is not null) then
    return '{}';
  end if;
  if v_schedule.cancel_requested_at is not null then
    return podbase_private.finish_task(v_attempt.task_id, 'canceled', null, null);
  end if;
  if v_class.retry and v_schedule.failures < v_schedule.max_attempts then
    v_wait := greatest(coalesce(p_retry_after_ms, 0), random() * least(
      v_class.backoff_cap_ms, v_class.backoff_base_ms * 2 ^ least(v_schedule.attempts_made - 1, 20)));
    update podbase_private.task_schedule set run_at = v_now + v_wait * interval '1 ms'
      where task_id = v_attempt.task_id;
    return podbase_private.show_task(v_attempt.task_id, 'retrying', podbase_private.notice('retrying'));
  end if;
  return podbase_private.finish_task(v_attempt.task_id, 'failed', null,
    jsonb_build_object('code', p_class, 'message', v_class.message));
end $$;

-- The class of a failure from RunPod's error text (docs.runpod.io; texts observed on live endpoints).
create function podbase_private.classify(p_error text) returns text
language sql stable security definer set search_path = '' as $$
  select coalesce(
    (select class from podbase_private.failure_classes where p_error ~* pattern order by precedence limit 1),
    'worker_error');
$$;

-- Where the artifacts of an attempt are uploaded to: <user>/<job>/<task>/<attempt>/<name> in the bucket podbase.
create function podbase_private.artifact_path(p_attempt uuid, p_name text) returns text
language sql stable security definer set search_path = '' as $$
  select concat_ws('/', t.user_id, t.job_id, t.name, a.id, p_name)
  from podbase_private.attempts a join podbase.tasks t on t.id = a.task_id where a.id = p_attempt;
$$;

-- Completes an attempt's task, if every declared artifact lies in Storage with the size the worker reported; else
-- the attempt fails as missing_output. Other live attempts of the task are superseded and canceled at RunPod.
create function podbase_private.complete_attempt(p_attempt uuid, p_output jsonb) returns uuid[]
language plpgsql security definer set search_path = '' as $$
declare
  v_attempt podbase_private.attempts;
  v_reported jsonb := coalesce(p_output #> '{podbase,artifacts}', '{}');
  v_missing text;
begin
  with declared as (
    select d.key as name, d.value #>> '{}' as content_type, podbase_private.artifact_path(p_attempt, d.key) as path
    from podbase_private.attempts a
    join podbase_private.task_schedule s on s.task_id = a.task_id, jsonb_each(s.artifacts) d
    where a.id = p_attempt
  ), seen as (
    select d.*, (o.metadata ->> 'size')::bigint as bytes, v_reported -> d.name ->> 'sha256' as sha256
    from declared d
    join storage.objects o on o.bucket_id = 'podbase' and o.name = d.path
      and (o.metadata ->> 'size')::bigint
          = coalesce((v_reported -> d.name ->> 'bytes')::bigint, (o.metadata ->> 'size')::bigint)
  ), kept as (
    insert into podbase.artifacts
      (job_id, task_id, user_id, task, name, path, content_type, bytes, sha256, created_at)
    select t.job_id, t.id, t.user_id, t.name, s.name, s.path, s.content_type, s.bytes, s.sha256, podbase_private.now()
    from seen s, podbase_private.attempts a join podbase.tasks t on t.id = a.task_id
    where a.id = p_attempt and not exists (select from declared d where d.name not in (select name from seen))
    returning name
  )
  select string_agg(d.name, ', ') into v_missing from declared d where d.name not in (select name from seen);

  if v_missing is not null then
    return podbase_private.fail_attempt(p_attempt, 'failed', 'missing_output', 'not in storage: ' || v_missing);
  end if;
  update podbase_private.attempts set state = 'completed', next_check_at = null, finished_at = podbase_private.now(),
      failure_class = null, error = null
    where id = p_attempt returning * into v_attempt;
  update podbase_private.attempts set state = 'superseded', next_check_at = null, finished_at = podbase_private.now(),
      cancel_requested_at = podbase_private.now()
    where task_id = v_attempt.task_id and id <> p_attempt and next_check_at is not null;
  return podbase_private.finish_task(v_attempt.task_id, 'completed',
    case when jsonb_typeof(p_output) = 'object' then p_output - 'podbase' else p_output end, null);
end $$;
