-- Polling, canceling, and what time alone brings about.

-- What a call to RunPod about attempts needs: [{attempt, providerId, endpoint: {name, providerId}, kind, task}].
-- Called by claim_polls and claim_cancels.
create function podbase_private.look_ups(p_attempts uuid[]) returns jsonb
language plpgsql volatile
-- A few rows by their keys: other joins could read whole tables.
set search_path = '' set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'attempt', a.id, 'providerId', a.provider_id,
      'endpoint', jsonb_build_object('name', e.name, 'providerId', e.provider_id),
      'kind', j.kind, 'task', t.name)), '[]')
    from unnest(p_attempts) as x (id)
    join podbase_private.attempts a on a.id = x.id
    join podbase_private.endpoints e on e.name = a.endpoint
    join podbase.tasks t on t.id = a.task_id
    join podbase.jobs j on j.id = a.job_id);
end $$;

-- Takes up to max_polls attempts whose poll is due, for twice the endpoint's first_poll_ms, at most a minute: should who took
-- them die, others look again. The answer sets the next look (next_poll). An attempt without a RunPod id cannot be polled
-- and is left to expire(). Returns look_ups(). Emits nothing. Caller: service_role. Locks: the attempts, skipping what
-- others hold.
create function podbase_private.claim_polls(max_polls int) returns jsonb
language plpgsql volatile security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare v_taken uuid[];
begin
  with due as materialized (
    select a.id from podbase_private.attempts a
    where a.next_check_at <= podbase_private.now() and a.state in ('in_queue', 'in_progress')
      and a.provider_id is not null
    order by a.next_check_at limit podbase_private.calls_left('status', max_polls) for update skip locked
  ), taken as (
    update podbase_private.attempts a set polls = a.polls + 1,
      next_check_at = podbase_private.now() + least(interval '1 minute', e.first_poll_ms * interval '2 ms')
    from due, podbase_private.endpoints e
    where a.id = due.id and e.name = a.endpoint
    returning a.id
  )
  select coalesce(array_agg(id), '{}') into v_taken from taken;
  perform podbase_private.spend_calls('status', cardinality(v_taken));
  return podbase_private.look_ups(v_taken);
end $$;

-- Takes up to max_cancels attempts that are to be canceled at RunPod, not asked again for 30 s. Returns look_ups(), and
-- after them those whose jobs are deleted: of these without kind and task, and until half an hour after the ttl. Emits
-- nothing. Caller: service_role. Locks: the attempts, then orphans, skipping what others hold.
create function podbase_private.claim_cancels(max_cancels int) returns jsonb
language plpgsql volatile security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_now timestamptz := podbase_private.now();
  v_left int := podbase_private.calls_left('cancel', max_cancels);
  v_taken uuid[];
  v_orphan record;
  v_orphans jsonb := '[]';
begin
  with due as materialized (
    select a.id from podbase_private.attempts a
    where a.cancel_requested_at <= v_now and a.cancel_done_at is null and a.provider_id is not null
    order by a.cancel_requested_at limit v_left for update skip locked
  ), taken as (
    update podbase_private.attempts a set cancel_requested_at = v_now + interval '30 s'
    from due, podbase_private.endpoints e
    where a.id = due.id and e.name = a.endpoint
    returning a.id
  )
  select coalesce(array_agg(id), '{}') into v_taken from taken;
  for v_orphan in
    select o.*, e.provider_id as endpoint_id
    from podbase_private.orphans o left join podbase_private.endpoints e on e.name = o.endpoint
    where o.due_at <= v_now order by o.due_at limit v_left - cardinality(v_taken) for update of o skip locked
  loop
    if v_orphan.forget_at <= v_now or v_orphan.endpoint_id is null then
      delete from podbase_private.orphans where attempt_id = v_orphan.attempt_id;
    else
      update podbase_private.orphans set due_at = v_now + interval '30 s' where attempt_id = v_orphan.attempt_id;
      v_orphans := v_orphans || jsonb_build_object('attempt', v_orphan.attempt_id, 'providerId', v_orphan.provider_id,
        'endpoint', jsonb_build_object('name', v_orphan.endpoint, 'providerId', v_orphan.endpoint_id));
    end if;
  end loop;
  perform podbase_private.spend_calls('cancel', cardinality(v_taken) + jsonb_array_length(v_orphans));
  return podbase_private.look_ups(v_taken) || v_orphans;
end $$;

-- RunPod answered a /cancel (or no longer knows the job): nothing is left to ask for. A live attempt ends as
-- canceled; an attempt that does not exist is skipped. Returns how many there were, those of deleted jobs included. Emits
-- one version for each changed task. Caller: service_role. Locks: the jobs in the order of their ids, then orphans.
create function podbase_private.record_cancels(attempts uuid[]) returns int
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_id uuid;
  v_job podbase.jobs;
  v_attempt podbase_private.attempts;
  v_tasks uuid[];
  v_count int := 0;
  v_orphans int;
begin
  for v_id in
    select a.id from podbase_private.attempts a where a.id = any (attempts) order by a.job_id, a.id
  loop
    v_job := podbase_private.lock_job_of(v_id);
    continue when v_job.id is null;
    select * into strict v_attempt from podbase_private.attempts where id = v_id;
    update podbase_private.attempts set cancel_done_at = podbase_private.now() where id = v_id;
    if v_attempt.next_check_at is not null then
      v_tasks := podbase_private.fail_attempt(v_attempt, 'canceled', 'canceled_remotely', null);
      if v_tasks <> '{}' then
        perform podbase_private.publish(v_job, v_tasks, 'engine', 'canceled at RunPod');
      end if;
    end if;
    v_count := v_count + 1;
  end loop;
  delete from podbase_private.orphans where attempt_id = any (attempts);
  get diagnostics v_orphans = row_count;
  return v_count + v_orphans;
end $$;

-- Ends what nobody answered for: leases of functions that died, evidence windows that passed, and work whose worker
-- called but whose RunPod id was never learned, so that nobody can ask for it. Works on jobs that nobody else holds,
-- so any number may run at once. No breaker hears of it: silence may be that of a cold start, or our own.
create function podbase_private.expire(p_limit int) returns int
language plpgsql set search_path = '' as $$
declare
  v_due record;
  v_job podbase.jobs;
  v_attempt podbase_private.attempts;
  v_endpoint podbase_private.endpoints;
  v_policy podbase_private.submit_policy;
  v_tasks uuid[];
  v_now timestamptz := podbase_private.now();
  v_count int := 0;
begin
  -- Due later than it can have been set to: the clock was set back.
  update podbase_private.attempts set next_check_at = v_now + interval '1 minute'
    where id in (
      select a.id from podbase_private.attempts a
      where a.next_check_at > v_now + interval '11 minutes' and a.state in ('claimed', 'in_queue', 'in_progress')
      limit p_limit for update skip locked);
  for v_due in
    select a.id, a.job_id from podbase_private.attempts a
    where a.next_check_at <= v_now
      and (a.state in ('claimed', 'submit_unknown') or (a.state in ('in_queue', 'in_progress') and a.provider_id is null))
    order by a.job_id, a.id limit p_limit
  loop
    select * into v_job from podbase.jobs where id = v_due.job_id for update skip locked;
    continue when v_job.id is null;
    select * into v_attempt from podbase_private.attempts
      where id = v_due.id and next_check_at <= v_now
        and (state in ('claimed', 'submit_unknown') or (state in ('in_queue', 'in_progress') and provider_id is null));
    continue when v_attempt.id is null;
    select * into strict v_endpoint from podbase_private.endpoints where name = v_attempt.endpoint;
    select submit_policy into strict v_policy from podbase_private.task_schedule where task_id = v_attempt.task_id;

    if v_attempt.state = 'claimed' and v_policy = 'at_most_once' and v_attempt.submitted_at is null then
      -- Whoever claimed it died before the POST, which would have been told as posting.
      v_tasks := podbase_private.fail_attempt(v_attempt, 'rejected', 'unconfirmed', 'the lease ran out before the POST');
    elsif v_attempt.state = 'claimed' then
      -- Whoever claimed it died, perhaps after the POST.
      update podbase_private.attempts set state = 'submit_unknown', error = 'the lease ran out',
          next_check_at = v_now + podbase_private.evidence_window(v_endpoint)
        where id = v_attempt.id;
      v_tasks := array[(podbase_private.show_task(v_attempt.task_id, 'confirming', 'confirming')).id];
    elsif v_attempt.state <> 'submit_unknown' then
      -- Its webhook is waited for as long as RunPod could know the work.
      if v_attempt.seen_at + v_endpoint.ttl_ms * interval '1 ms' > v_now then
        update podbase_private.attempts set next_check_at = least(
            seen_at + v_endpoint.ttl_ms * interval '1 ms', v_now + v_endpoint.max_poll_ms * interval '1 ms')
          where id = v_attempt.id;
        v_tasks := '{}';
      else
        v_tasks := podbase_private.take_not_found(v_job, v_attempt, 'no word within the ttl, and no id to ask with');
      end if;
    elsif v_policy = 'at_least_once' then
      v_tasks := podbase_private.fail_attempt(v_attempt, 'superseded', 'unconfirmed', 'no sign of life');
      -- Should RunPod have it after all, it is canceled there as soon as its id is known.
      update podbase_private.attempts set
          cancel_requested_at = case when provider_id is null then 'infinity' else v_now end
        where id = v_attempt.id;
    elsif v_attempt.created_at + v_endpoint.ttl_ms * interval '1 ms' > v_now then
      -- Too dear to buy twice: only the ttl ends the doubt.
      update podbase_private.attempts set next_check_at = created_at + v_endpoint.ttl_ms * interval '1 ms'
        where id = v_attempt.id;
      v_tasks := '{}';
    else
      v_tasks := podbase_private.take_not_found(v_job, v_attempt, 'no sign of life', 'lost_unconfirmed');
    end if;
    if v_tasks <> '{}' then
      perform podbase_private.publish(v_job, v_tasks, 'clock', 'no answer in time');
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end $$;

-- Puts retries whose time has come back into their queues.
create function podbase_private.promote(p_limit int) returns int
language plpgsql set search_path = '' as $$
declare v_tasks uuid[];
begin
  select coalesce(array_agg(task_id), '{}') into v_tasks from (
    select task_id from podbase_private.task_schedule
    where run_at <= podbase_private.now() order by run_at limit p_limit for update skip locked
  ) due;
  perform podbase_private.enqueue(v_tasks);
  return cardinality(v_tasks);
end $$;
