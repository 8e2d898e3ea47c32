-- What comes back from RunPod: answers to the POST, webhooks, polls, calls of workers.

-- Locks the job of an attempt; false when there is no such attempt. Every function below starts with it.
create function podbase_private.lock_job_of(p_attempt uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  perform from podbase.jobs j join podbase_private.attempts a on a.job_id = j.id
    where a.id = p_attempt for update of j;
  return found;
end $$;

-- Records how the POSTs of claimed attempts ended.
--   results: [{attempt, outcome: accepted | rejected | not_sent | unknown, providerId?, class?, error?, retryAfterMs?}]
--     accepted  RunPod answered with an id
--     rejected  RunPod clearly refused (class says why); not_sent: the request certainly never left
--     unknown   no clear answer: the job may exist and be paid; never posted again before the evidence window is over
--   returns: the number of results that changed something
-- Idempotent: an attempt that is past its submission keeps its state. Caller: service_role.
create function podbase_private.record_submissions(results jsonb) returns int
language plpgsql security definer set search_path = '' as $$
declare
  r record;
  v_attempt podbase_private.attempts;
  v_endpoint podbase_private.endpoints;
  v_tasks uuid[];
  v_now timestamptz := podbase_private.now();
  v_changed int := 0;
begin
  for r in
    select x.*, a.job_id
    from jsonb_to_recordset(results) as x
      (attempt uuid, outcome text, "providerId" text, class text, error text, "retryAfterMs" int)
    join podbase_private.attempts a on a.id = x.attempt
    order by a.job_id, a.id
  loop
    perform podbase_private.lock_job_of(r.attempt);
    select * into v_attempt from podbase_private.attempts where id = r.attempt;
    select * into strict v_endpoint from podbase_private.endpoints where name = v_attempt.endpoint;
    -- A report may have been faster than RunPod's own answer; the id is worth keeping all the same.
    if r.outcome = 'accepted' and v_attempt.provider_id is null then
      update podbase_private.attempts set provider_id = r."providerId", submitted_at = v_now where id = r.attempt;
    end if;
    continue when v_attempt.state not in ('claimed', 'submit_unknown');

    v_tasks := '{}';
    if r.outcome = 'accepted' then
      update podbase_private.attempts set state = 'in_queue',
          next_check_at = v_now + v_endpoint.first_poll_ms * interval '1 ms'
        where id = r.attempt;
      v_tasks := podbase_private.show_task(
        v_attempt.task_id, 'waiting_for_worker', podbase_private.notice('warming_up'));
    elsif r.outcome = 'unknown' then
      if v_attempt.state = 'claimed' then
        update podbase_private.attempts set state = 'submit_unknown', error = left(r.error, 10000),
            submitted_at = v_now, next_check_at = v_now + v_endpoint.evidence_window_ms * interval '1 ms'
          where id = r.attempt;
        v_tasks := podbase_private.show_task(v_attempt.task_id, 'confirming', podbase_private.notice('confirming'));
      end if;
    else
      v_tasks := podbase_private.fail_attempt(
        r.attempt, 'rejected', coalesce(r.class, 'transient_network'), r.error, r."retryAfterMs");
    end if;
    continue when v_tasks = '{}';
    perform podbase_private.publish(v_attempt.job_id, v_tasks, 'engine', 'submission ' || r.outcome);
    v_changed := v_changed + 1;
  end loop;
  return v_changed;
end $$;

-- Takes one report about one attempt: inbox, attempt, task, job and what that unblocks, in one transaction.
--   report: {attempt, source: webhook | poll | worker, token?, kind?, task?, status, providerId?, output?, error?,
--            class?, progress?, seq?, delayTime?, executionTime?, workerId?}
--     status: RunPod's IN_QUEUE, IN_PROGRESS, RUNNING, COMPLETED, FAILED, CANCELLED, TIMED_OUT, or NOT_FOUND for a 404
--     token, kind and task are checked for every source but poll
--   returns: {verdict, proceed, job?, claims}
--     verdict: applied | unchanged | duplicate | late | unauthorized (nothing is stored then)
--     proceed: whether the worker should go on: the attempt is the task's live one and nobody canceled it
-- Reports may be lost, doubled, late and out of order; a finished task never changes. The one exception to an
-- attempt's sticky end: a COMPLETED of a superseded or lost attempt wins while the task is open. Caller: service_role.
create function podbase_private.record_report(report jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  v_id uuid := (report ->> 'attempt')::uuid;
  v_source text := report ->> 'source';
  v_status text := case report ->> 'status' when 'RUNNING' then 'IN_PROGRESS' else report ->> 'status' end;
  v_error text := report ->> 'error';
  v_attempt podbase_private.attempts;
  v_task podbase.tasks;
  v_job podbase.jobs;
  v_schedule podbase_private.task_schedule;
  v_tasks uuid[] := '{}';
  v_verdict text := 'unchanged';
  v_claims jsonb := '[]';
  v_now timestamptz := podbase_private.now();
  v_live boolean;
begin
  if not podbase_private.lock_job_of(v_id) then
    return '{"verdict": "unauthorized", "proceed": false, "claims": []}';
  end if;
  select * into v_attempt from podbase_private.attempts where id = v_id;
  select * into v_task from podbase.tasks where id = v_attempt.task_id;
  select * into v_job from podbase.jobs where id = v_attempt.job_id;
  select * into v_schedule from podbase_private.task_schedule where task_id = v_attempt.task_id;
  -- Digests are compared, so the time this takes tells nothing about the token.
  if v_source <> 'poll' and (
    v_attempt.token_hash is distinct from sha256(convert_to(coalesce(report ->> 'token', ''), 'UTF8'))
    or v_task.name is distinct from report ->> 'task' or v_job.kind is distinct from report ->> 'kind'
  ) then
    return '{"verdict": "unauthorized", "proceed": false, "claims": []}';
  end if;

  v_live := v_attempt.next_check_at is not null;
  update podbase_private.attempts set
      provider_id = coalesce(provider_id, report ->> 'providerId'),
      seen_at = case when v_status <> 'NOT_FOUND' then coalesce(seen_at, v_now) else seen_at end,
      delay_ms = coalesce((report ->> 'delayTime')::bigint, delay_ms),
      execution_ms = coalesce((report ->> 'executionTime')::bigint, execution_ms),
      worker_id = coalesce(report ->> 'workerId', worker_id)
    where id = v_id;

  if v_task.finished_at is not null then
    v_verdict := case when v_attempt.state = 'completed' and v_status = 'COMPLETED' then 'duplicate' else 'late' end;
  elsif v_status = 'COMPLETED' and (v_live or v_attempt.state in ('superseded', 'lost')) then
    v_verdict := 'applied';
    if v_live and report ? 'class' then
      v_tasks := podbase_private.fail_attempt(v_id, 'failed', report ->> 'class', v_error);
    else
      v_tasks := podbase_private.complete_attempt(v_id, report -> 'output');
    end if;
  elsif not v_live then
    v_verdict := 'late';
  elsif v_status = 'IN_QUEUE' then
    if v_attempt.state in ('claimed', 'submit_unknown', 'in_progress') then
      v_verdict := 'applied';
      update podbase_private.attempts set state = 'in_queue', next_check_at = v_now + interval '30 s' where id = v_id;
      v_tasks := podbase_private.show_task(v_task.id, 'waiting_for_worker', podbase_private.notice('warming_up'));
    end if;
  elsif v_status = 'IN_PROGRESS' then
    if v_attempt.state <> 'in_progress' then
      v_verdict := 'applied';
      update podbase_private.attempts set state = 'in_progress', started_at = v_now,
          next_check_at = greatest(next_check_at, v_now + interval '30 s')
        where id = v_id;
      v_tasks := podbase_private.show_task(v_task.id, 'running', null);
    end if;
    v_tasks := v_tasks || podbase_private.take_progress(v_id, report);
  elsif v_status = 'FAILED' then
    v_verdict := 'applied';
    v_tasks := podbase_private.fail_attempt(
      v_id, 'failed', coalesce(report ->> 'class', podbase_private.classify(v_error)), v_error);
  elsif v_status = 'TIMED_OUT' then
    v_verdict := 'applied';
    v_tasks := podbase_private.fail_attempt(v_id, 'timed_out', 'execution_timeout', v_error);
  elsif v_status = 'CANCELLED' then
    v_verdict := 'applied';
    v_tasks := podbase_private.fail_attempt(v_id, 'canceled', 'canceled_remotely', v_error);
  elsif v_status = 'NOT_FOUND' then
    -- Right after the submission RunPod may not know its own job yet; one that it has shown, or did not show within a
    -- minute, is gone. What the worker left in Storage still counts, unless others need its output.
    if v_attempt.seen_at is not null or v_attempt.submitted_at < v_now - interval '1 minute' then
      v_verdict := 'applied';
      if v_schedule.artifacts <> '{}' and not exists (
        select from podbase_private.task_schedule s where s.job_id = v_job.id and v_task.name = any (s.after)
      ) and not exists (
        select from jsonb_object_keys(v_schedule.artifacts) d where not exists (
          select from storage.objects o
          where o.bucket_id = 'podbase' and o.name = podbase_private.artifact_path(v_id, d))
      ) then
        v_tasks := podbase_private.complete_attempt(v_id, null);
      else
        v_tasks := podbase_private.fail_attempt(v_id, 'lost', 'lost', 'RunPod answered 404');
      end if;
    end if;
  else
    -- A state that nobody has heard of: keep looking.
    v_verdict := 'unchanged';
  end if;

  if v_verdict <> 'unchanged' then
    insert into podbase_private.webhook_inbox (attempt_id, source, report, verdict, received_at)
    values (v_id, v_source, report - 'token', v_verdict, v_now);
  end if;
  if v_tasks <> '{}' then
    perform podbase_private.publish(v_job.id, v_tasks, v_source, lower(v_status));
    v_claims := podbase_private.claim(10);
  end if;
  return jsonb_build_object(
    'verdict', v_verdict,
    'proceed', v_live and v_task.finished_at is null and v_schedule.cancel_requested_at is null,
    'job', v_job.id,
    'artifacts', v_schedule.artifacts,
    'user', v_job.user_id,
    'claims', v_claims);
end $$;

-- Shows a worker's progress (0 to 1): only what is newer by its sequence number, and at most one version a second a
-- job, so that a chatty worker costs neither write load nor the user's Realtime quota.
create function podbase_private.take_progress(p_attempt uuid, p_report jsonb) returns uuid[]
language plpgsql security definer set search_path = '' as $$
declare
  v_progress real := least(1, greatest(0, (p_report ->> 'progress')::real));
  v_task uuid;
begin
  if v_progress is null then return '{}'; end if;
  update podbase_private.attempts a set progress_seq = (p_report ->> 'seq')::int
    from podbase.jobs j
    where a.id = p_attempt and j.id = a.job_id and (p_report ->> 'seq')::int > a.progress_seq
      and j.updated_at <= podbase_private.now() - interval '1 second'
    returning a.task_id into v_task;
  if v_task is null then return '{}'; end if;
  update podbase.tasks set progress = v_progress, version = version + 1, updated_at = podbase_private.now()
    where id = v_task and v_progress > coalesce(progress, 0);
  return case when found then array[v_task] else '{}' end;
end $$;
