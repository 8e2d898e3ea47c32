-- What the functions of reports, submissions and time share: how a task moves on and ends.
-- All of them expect the job's row to be locked, return the ids of the tasks they changed, and leave publishing to
-- their caller.

-- The words for a soft wait: {code, since, message}.
create function podbase_private.notice(p_code text) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object('code', p_code, 'since', podbase_private.now(), 'message', case p_code
    when 'warming_up' then 'Waiting for a worker. A cold GPU can take a few minutes to wake.'
    when 'worker_starting' then 'A worker is starting for this.'
    when 'throttled' then 'The GPU service has no free machine of this kind right now. The place in line is kept.'
    when 'no_workers' then 'No worker is there at the moment. The place in line is kept.'
    when 'still_working' then 'Still working on it.'
    when 'slower_than_usual' then 'Slower than usual, and still on its way.'
    when 'confirming' then 'Making sure that the work was handed over.'
    when 'retrying' then 'That did not work out. Trying again shortly.'
    when 'upstream_failed' then 'Not started, because a task before this one did not complete.' end);
end $$;

-- Takes a task out of every queue and gives its slot back.
create function podbase_private.leave_queue(p_task uuid) returns void
language plpgsql set search_path = '' as $$
begin
  update podbase_private.task_schedule set ready_key = null, run_at = null, parked = false, has_slot = false
    where task_id = p_task and (ready_key is not null or run_at is not null or parked or has_slot);
end $$;

-- Ends a task for good without a result of RunPod and opens or cancels what waited for it.
create function podbase_private.finish_task(p_task uuid, p_status podbase.task_status, p_error jsonb) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  v_job uuid;
  v_now timestamptz := podbase_private.now();
begin
  perform podbase_private.leave_queue(p_task);
  update podbase.tasks set
      status = p_status, phase = 'done', version = version + 1, error = p_error, notice = null, finished_at = v_now,
      updated_at = v_now
    where id = p_task returning job_id into v_job;
  if (select task_count from podbase.jobs where id = v_job) = 1 then
    return array[p_task];
  end if;
  return array[p_task] || podbase_private.unblock(v_job);
end $$;

-- Shows an open task's phase, and returns its row; a task that left the queue is processing from then on. What is being
-- canceled stays shown as that, whatever else is still heard of it.
create function podbase_private.show_task(p_task uuid, p_phase podbase.phase, p_notice text) returns podbase.tasks
language plpgsql set search_path = '' as $$
declare
  v_now timestamptz := podbase_private.now();
  v_notice jsonb;
  v_task podbase.tasks;
begin
  perform from podbase_private.task_schedule where task_id = p_task and cancel_requested_at is not null;
  if found then
    p_phase := 'canceling';
  elsif p_notice is not null then
    v_notice := podbase_private.notice(p_notice);
  end if;
  update podbase.tasks t set
      status = 'processing', version = t.version + 1, phase = p_phase, notice = v_notice,
      started_at = coalesce(t.started_at, v_now), updated_at = v_now
    where t.id = p_task and t.finished_at is null
    returning t.* into v_task;
  return v_task;
end $$;

-- What a report or an answer says of an attempt, whatever becomes of it.
create function podbase_private.note_report(p_attempt podbase_private.attempts, p_report jsonb, p_now timestamptz)
returns podbase_private.attempts
language plpgsql immutable set search_path = '' as $$
begin
  p_attempt.provider_id := coalesce(p_attempt.provider_id, p_report ->> 'providerId');
  if p_report ? 'status' and p_report ->> 'status' <> 'NOT_FOUND' then
    p_attempt.seen_at := coalesce(p_attempt.seen_at, p_now);
  end if;
  p_attempt.delay_ms := coalesce((p_report ->> 'delayTime')::numeric::bigint, p_attempt.delay_ms);
  p_attempt.execution_ms := coalesce((p_report ->> 'executionTime')::numeric::bigint, p_attempt.execution_ms);
  p_attempt.worker_id := coalesce(p_report ->> 'workerId', p_attempt.worker_id);
  return p_attempt;
end $$;

-- Writes back what the functions of reports changed of an attempt, in one update.
create function podbase_private.save_attempt(p podbase_private.attempts) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update podbase_private.attempts set
      state = p.state, next_check_at = p.next_check_at, provider_id = p.provider_id, seen_at = p.seen_at,
      delay_ms = p.delay_ms, execution_ms = p.execution_ms, worker_id = p.worker_id, failure_class = p.failure_class,
      error = p.error, submitted_at = p.submitted_at, started_at = p.started_at, finished_at = p.finished_at,
      cancel_requested_at = case when cancel_requested_at = 'infinity' and p.provider_id is not null
        then podbase_private.now() else cancel_requested_at end
    where id = p.id;
end $$;

-- The class of a failure from RunPod's error text (docs.runpod.io; texts observed on live endpoints).
create function podbase_private.classify(p_error text) returns text
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(
      (select class from podbase_private.failure_classes where p_error ~* pattern order by precedence limit 1),
      'worker_error'));
end $$;

-- Ends an attempt without a result and decides what becomes of its task: another attempt later (perhaps at another
-- endpoint or on another route), canceled, or failed.
create function podbase_private.fail_attempt(
  p_attempt podbase_private.attempts, p_state podbase_private.attempt_state, p_class text, p_error text,
  p_retry_after_ms int default null
) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  v_schedule podbase_private.task_schedule;
  v_class podbase_private.failure_classes;
  v_now timestamptz := podbase_private.now();
  v_wait double precision;
begin
  p_attempt.state := p_state;
  p_attempt.failure_class := p_class;
  p_attempt.error := left(p_error, 10000);
  p_attempt.next_check_at := null;
  p_attempt.finished_at := v_now;
  perform podbase_private.save_attempt(p_attempt);
  -- A class that nobody knows is the worker's word.
  select * into v_class from podbase_private.failure_classes where class = p_class;
  if v_class.class is null then
    select * into strict v_class from podbase_private.failure_classes where class = 'worker_error';
  end if;
  select * into strict v_schedule from podbase_private.task_schedule where task_id = p_attempt.task_id;
  if v_schedule.artifacts <> '{}' and p_state <> 'rejected' then
    perform podbase_private.drop_uploads(p_attempt.id, p_attempt.task_id);
  end if;
  v_schedule.failures := v_schedule.failures + v_class.counts::int;
  if v_class.alert then
    perform podbase_private.alert(v_class.class, p_attempt.endpoint, p_attempt.job_id,
      jsonb_build_object('attempt', p_attempt.id, 'error', left(p_error, 500)));
  end if;

  if exists (select from podbase.tasks where id = p_attempt.task_id and finished_at is not null) then
    return '{}';
  end if;
  if v_schedule.cancel_requested_at is not null then
    return podbase_private.finish_task(p_attempt.task_id, 'canceled', null);
  end if;
  -- Work that RunPod has forgotten may have been done: where nothing is bought twice, only a person tries it again.
  if v_class.retry and v_schedule.failures < v_schedule.max_attempts
    and not (p_state = 'lost' and v_schedule.submit_policy = 'at_most_once') then
    v_wait := greatest(coalesce(p_retry_after_ms, 0), random() * least(
      v_class.backoff_cap_ms, v_class.backoff_base_ms * 2 ^ least(v_schedule.attempts_made - 1, 20)));
    -- Elsewhere, until everywhere has failed it.
    if v_class.other_endpoint then
      v_schedule.avoid := v_schedule.avoid || p_attempt.endpoint;
      if not exists (select from podbase_private.routes r join podbase_private.endpoints e on e.name = r.endpoint
                     where r.route = v_schedule.route and e.enabled and r.endpoint <> all (v_schedule.avoid)) then
        v_schedule.avoid := null;
      end if;
    end if;
    if v_schedule.reroute ? v_class.class then
      v_schedule.route := v_schedule.reroute ->> v_class.class;
      v_schedule.avoid := null;
    end if;
    update podbase_private.task_schedule set
        failures = v_schedule.failures, run_at = v_now + v_wait * interval '1 ms', avoid = v_schedule.avoid,
        route = v_schedule.route
      where task_id = p_attempt.task_id;
    return array[(podbase_private.show_task(p_attempt.task_id, 'retrying', 'retrying')).id];
  end if;
  update podbase_private.task_schedule set failures = v_schedule.failures where task_id = p_attempt.task_id;
  return podbase_private.finish_task(p_attempt.task_id, 'failed',
    jsonb_build_object('code', v_class.class, 'message', v_class.message));
end $$;

-- Where the artifacts of an attempt are uploaded to: <user>/<job>/<task>/<attempt>/<name> in the bucket podbase. An item's
-- name[0] is name.0 there, because Storage takes no brackets.
create function podbase_private.artifact_path(p_task podbase.tasks, p_attempt uuid, p_name text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return concat_ws('/', p_task.user_id, p_task.job_id, replace(replace(p_task.name, '[', '.'), ']', ''), p_attempt,
    p_name);
end $$;

-- Records an attempt's artifacts, if every declared one lies in Storage with the size the worker reported. Returns the
-- names of those that don't, or null.
create function podbase_private.keep_artifacts(p_task podbase.tasks, p_attempt uuid, p_declared jsonb, p_reported jsonb)
returns text
language plpgsql volatile set search_path = '' as $$
declare v_missing text;
begin
  with declared as materialized (
    select d.key as name, d.value #>> '{}' as content_type,
      podbase_private.artifact_path(p_task, p_attempt, d.key) as path
    from jsonb_each(p_declared) d
  ), seen as materialized (
    select d.*, (o.metadata ->> 'size')::bigint as bytes,
      -- What has not the form of one is none, and of any size.
      case when p_reported -> d.name ->> 'sha256' ~ '^[0-9a-f]{64}$' then p_reported -> d.name ->> 'sha256' end as sha256
    from declared d
    join storage.objects o on o.bucket_id = 'podbase' and o.name = d.path
      -- As JSON: what is no number is another size, and no error.
      and coalesce(nullif(p_reported -> d.name -> 'bytes', 'null'), o.metadata -> 'size') = o.metadata -> 'size'
  ), kept as (
    insert into podbase.artifacts
      (job_id, task_id, user_id, task, name, path, content_type, bytes, sha256, created_at)
    select p_task.job_id, p_task.id, p_task.user_id, p_task.name, s.name, s.path, s.content_type, s.bytes, s.sha256,
      podbase_private.now()
    from seen s where not exists (select from declared d where d.name not in (select name from seen))
  )
  select string_agg(d.name, ', ')
  into v_missing from declared d where d.name not in (select name from seen);
  return v_missing;
end $$;
